"""Writers of results: for the terminal, as HTML, Markdown, JSON, SARIF and JUnit.

They decide nothing.

Modules::

    console              the terminal: standard output and error, colours, width, exit codes
    messages             messages about a place in a file
    report_format        the formats of a report, chosen in one place
    time_text            times in words
    facts_text           the values of a fact or outcome in a few words

    answer_console       answers
    deadlines_console    deadlines, turns and elapsed times
    timeline             stretches of time as a drawing and as a table
    reschedule_console   how a change of facts moves what is due

    calendar_console     calendars, regions and holiday lists
    calendar_json        calendars, regions, holiday lists and elapsed times as data
    month_console        a month of a calendar
    roster_console       who is in their own daytime, until when, and who is next

    policy_console       policies
    policy_json          policies as data
    cases_console        results of cases, for the terminal and as data
    sizes_console        how many nodes the tables of a version take
    junit                results of cases as JUnit XML
    sarif                findings as SARIF 2.1.0
    github               annotations and summaries of a GitHub job

    diff_report          what every format of a difference shows
    diff_console         a difference
    diff_html            a difference as one HTML page
    diff_json            a difference as data
    diff_markdown        a difference as Markdown

    replay_console       a replay
    replay_html          a replay as one HTML page
    replay_json          a replay as data
    replay_markdown      a replay as Markdown
    replay_verification  the verification of a log in every format

    records_console      records of the decision log
    html                 one HTML page without other files
    markdown             Markdown for pull requests
"""
