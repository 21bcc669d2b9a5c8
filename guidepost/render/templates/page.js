"use strict";
const input = document.getElementById("filter"), found = document.getElementById("found");
const every = selector => [...document.querySelectorAll(selector)];
const named = (row, kind) => row.closest(kind)?.querySelector(":scope > [data-name], :scope > :is(h3, h4) > [data-name]")?.textContent ?? "";
const entries = every("[data-row]").map(row => ({
  row,
  text: [row.textContent, row.dataset.find ?? "", named(row, "article"), named(row, "section")].join(" ").toLowerCase(),
}));
const groups = every("[data-group]"), folds = every("details");
const wasOpen = new Map();

function filter() {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const { row, text } of entries) {
    row.hidden = !words.every(word => text.includes(word));
    shown += !row.hidden;
  }
  const some = element => element.querySelector("[data-row]:not([hidden])") !== null;
  for (const group of groups) group.hidden = words.length > 0 && !some(group);
  for (const fold of folds) {
    if (words.length && !wasOpen.has(fold)) wasOpen.set(fold, fold.open);
    if (words.length) fold.open = some(fold);
    else if (wasOpen.has(fold)) fold.open = wasOpen.get(fold);
  }
  if (!words.length) wasOpen.clear();
  found.textContent = !words.length ? "" : shown ? `${shown} of ${entries.length} entries` : "Nothing here has all of these words.";
}

input.addEventListener("input", filter);
document.addEventListener("keydown", event => {
  if (event.key === "/" && document.activeElement !== input) { event.preventDefault(); input.focus(); }
  if (event.key === "Escape" && document.activeElement === input) { input.value = ""; filter(); }
});
let folded = [];
addEventListener("beforeprint", () => { folded = folds.filter(fold => !fold.open); for (const fold of folded) fold.open = true; });
addEventListener("afterprint", () => { for (const fold of folded) fold.open = false; });
document.querySelector(".filter").hidden = entries.length === 0;
filter();
