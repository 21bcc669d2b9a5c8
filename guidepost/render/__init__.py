"""What the core found, written for people and programs: on the console, as HTML, Markdown, JSON, SARIF or JUnit.

Nothing is decided here.

Modules::

    answer_console       answers as people read them
    calendar_console     calendars, regions, holiday lists and what counts by them, as people read them
    calendar_json        calendars, regions, holiday lists and elapsed times as plain data, for JSON. In
    cases_console        what came of policy tests, as people read it and as data
    console              the terminal: where results and errors go, in which colours, how wide, and the exit codes
    deadlines_console    how deadlines, turns and elapsed times are written
    diff_console         A difference on a terminal: what the text says, what may be sent, and what it does
    diff_html            A difference as one HTML page that needs nothing else
    diff_json            A difference as plain data, for JSON
    diff_markdown        A difference as Markdown: the summary of a pull request, long parts folded
    diff_report          what every form of a difference shows
    facts_text           what a fact or outcome may be, in a few words
    github               what GitHub reads of a job
    html                 one HTML page that needs nothing else
    junit                policy tests as JUnit XML, for the pages on which build servers show tests
    markdown             markdown for pull requests
    messages             messages about a place in a file
    month_console        A month of a calendar as a grid of days
    policy_console       policies as people read them
    policy_json          policies as plain data, for JSON. In: the nouns of a policy
    records_console      records and what became of a chain, as tables for the terminal
    replay_console       A replay on a terminal: what changes from what to what, where, for whom, by how much
    replay_html          A replay as one HTML page that needs nothing else
    replay_json          A replay as plain data, for JSON. Durations are seconds, counts are tickets
    replay_markdown      A replay as Markdown: the summary of a pull request, with the details folded
    replay_verification  A proof in every form: for the terminal, for a pull request, as a page, as data
    reschedule_console   how a change of facts moves what is due
    roster_console       who is in their own daytime, until when, and who is next
    sarif                findings as SARIF 2.1.0, the format that code-scanning tools read
    time_text            times as people read them
    timeline             stretches of time as a drawing and as a table
"""
