# ruff: noqa: E501
"""Made by scripts/make_words.py: the commands and their options, a line each.

Path (`*` is every command), names (none for the command itself), what it takes (a word as it is, or
what kind of word it is; `...` is any number of them), help; with tabs in between.
"""

TABLE = """\
status		ID...	Show the status of invocations.
status	--exit-status		Exit 0 if completed, 5 if failed, 9 if in progress.
status	--ci		Talk in plain lines, and tell GitHub Actions how it ended.
status	--no-ci		Talk in plain lines, and tell GitHub Actions how it ended.
wait		ID...	Wait until every invocation is final.
wait	--timeout	DURATION	Give up after this long: 90, 90s, 15m, 2h.
wait	--interval	DURATION	Poll this often, not less and less often.
wait	--any		Return at the first final invocation.
wait	--fail-fast		Return at the first failure.
wait	--ci		Talk in plain lines, and tell GitHub Actions how it ended.
wait	--no-ci		Talk in plain lines, and tell GitHub Actions how it ended.
results		ID	List the results of an invocation.
download		ID...	Download results to files, or to stdout.
download	-f --format	json|csv|xlsx|all...	Format, repeatable; else by the name given to -o, else any.
download	-r --result	RESULT_ID...	Result, repeatable; else the primary one.
download	--all-results		Every result of the invocation.
download	-o --output	FILE	Write this one file, or URL; - is stdout.
download	-d --dir	DIR	Write files here, or to a URL; else in this folder.
download	--name	TEMPLATE	Name files by {invocation}, {result}, {format}.
download	--overwrite		Replace an existing file, once the new one is whole.
download	--skip-existing		Leave an existing file, and go on.
download	--wait		First wait until the invocation is completed.
download	--timeout	DURATION	Give up after this long: 90, 90s, 15m, 2h.
download	--interval	DURATION	Poll this often, not less and less often.
download	-j --jobs	N	Transfer N files at once; by default 8.
download	--no-resume		Do not go on with what an earlier run left; never done for a URL.
download	--verify	auto|full|off	How closely to look at what comes.
download	--checksums		Write the files' hashes to SHA256SUMS, too.
download	--ci		Talk in plain lines, and tell GitHub Actions how it ended.
download	--no-ci		Talk in plain lines, and tell GitHub Actions how it ended.
preview		ID	Show the first rows of a result.
preview	-r --result	RESULT_ID	Result id [default: primary].
preview	-n --rows	ROWS	Number of rows.
preview	--stats		Statistics of all rows.
preview	-f --format	csv|json|xlsx	Format (default: the first of csv, json, xlsx).
login			Store a token in the config file.
logout			Remove a token from the config file.
config			Show and change settings.
config list			List the effective settings and where each comes from.
config get		KEY	Show the effective value of one setting.
config set		KEY VALUE	Store a setting in a profile of the config file.
config unset		KEY...	Remove settings from a profile of the config file.
config path			Show the path of the config file.
doctor			Find out what is wrong with the settings or the way to the service.
api		PATH	Ask any other endpoint of the service.
api	-X --method	METHOD	By default GET, or POST with -d.
api	-d --data	FILE|-|TEXT	Send this body; - reads it from stdin.
api	-H --header	NAME...	Send this header, too; repeatable.
api	-i --include		Show the head of the answer, too.
api	--query	KEYVALUE...	Add this to the query; repeatable.
sandbox		exec...	Start a local stand-in for the service.
sandbox	--port	N	Listen here; by default a free port.
sandbox	--large-size	SIZE	Size of demo-large: 500MB, 4GiB; by default 100MB.
sandbox	--scenario	FILE	Let go wrong what this TOML file says.
*	--profile	PROFILE	Use this profile of the config file.
*	--base-url	URL	Talk to this service.
*	--json		Write JSON to stdout.
*	-q --quiet		Only data and errors.
*	-v --verbose		Trace HTTP on stderr, secrets redacted.
*	--color	auto|always|never	When to use colour.
*	-h --help		Show this message and exit.
"""
