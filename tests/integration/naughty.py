"""Strings that break programs which splice text: more than two hundred, each a tuple's item with a reason in its group's name.

They try shells, format strings, Slurm, SQL, HTML, JSON, paths, numbers, encodings and lengths. Where one of them
runs as a command it creates the file `canary`, which must never be there.
"""


def shell(canary):
    touch = f"touch {canary}"
    quoted = [f"; {touch}", f"&& {touch}", f"|| {touch}", f"| {touch}", f"& {touch} &", f"$({touch})", f"`{touch}`", f"\n{touch}\n", f"\r\n{touch}\r\n",
              f"'; {touch}; '", f'"; {touch}; "', f"'\"; {touch} #", f"') ; {touch} #", f"$(({touch}))", f"<({touch})", f">{canary}", f">>{canary}",
              f"2>{canary}", f"; {touch} #", f"\\'; {touch}; \\'", f"a\x00; {touch}", f"EOF\n{touch}\nEOF", f"{{touch,{canary}}}", f"$IFS;touch$IFS{canary}",
              f"() {{ :;}}; {touch}", f"-o {canary}", f"--output={canary}", f"--wrap={touch}", f"-e {canary}", f"--prolog={touch}", f"%(touch {canary})s",
              f"\t;\t{touch}", f"x' -o '{canary}", f"!{touch}", f"{touch}", f"exec {touch}", f"eval \"{touch}\"", f"import os; os.system('{touch}')",
              f"__import__('os').system('{touch}')", f"'+__import__('os').system('{touch}')+'", f"#!/bin/sh\n{touch}\n", f"#SBATCH --output={canary}\n",
              f"\n#SBATCH -o {canary}\n", f"${{x:-$({touch})}}", f"\u037e {touch}", f"\uff1b {touch}"]
    single = list("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\x0b\x0c\x07\x08\x1b\x7f\x01")
    return quoted + single


VARIABLES = ("$PATH", "${PATH}", "$0", "$$", "$?", "$!", "$@", "$*", "$HOME", "~", "~root", "$JR_AUTH_TOKEN", "${JR_AUTH_TOKEN}", "$RANDOM", "!!", "!$", "^a^b",
             "{DATASET_DIR}", "{RESULT_DIR}", "{JR_PARAMS}", "{script}", "{args...}", "{}", "{0}", "{{}}", "{unknown}", "{", "}", "%PATH%", "#{x}", "#{7*7}",
             "${{7*7}}", "{{7*7}}", "<%= 7*7 %>", "${7*7}", "@{x}", "\\$PATH", "*", "?", "[a-z]*", "/*", "{a,b}", "a{1..9}")
FORMATS = ("%s%s%s%s%s%s%s", "%n%n%n%n", "%x%x%x%x", "%d", "%1$s", "%99999999d", "%%", "%", "%j", "%A_%a", "%x.out", "%u", "%N", "%2", "%zz", "%00", "%2e%2e%2f",
           "%25", "+", "a+b", "a%20b", "a&b=c", "a;b", "{:>9999999}", "\\n", "\\x41", "\\0", "\\u0041", "\\", "\\\\", "C:\\Windows")
SLURM = ("--help", "-h", "--version", "--wait", "--array=0-999", "--begin=now+1year", "--hold", "--export=ALL", "--uid=0", "--chdir=/", "--dependency=afterok:1",
         "-", "--", "-p main", "--partition=x", "jr-0", "1|JobId=1|COMPLETED", "7\n8|COMPLETED", "JobId=9 JobState=COMPLETED", "CANCELLED by 0", "None", "(null)")
SQL = ("' OR '1'='1", "'; DROP TABLE jobs; --", "1; DELETE FROM datasets", "' UNION SELECT sql FROM sqlite_master --", "\" OR \"\"=\"", "') --", "%' --", "_%", "\\'",
       "NULL", "x' AND randomblob(1000000000) --", "ATTACH DATABASE 'x' AS y", "0; VACUUM")
HTML = ("<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "javascript:alert(1)", "<!--", "]]>", "<?xml version=\"1.0\"?>", "&lt;", "&#x41;",
        "<svg/onload=alert(1)>", "<!DOCTYPE x [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>", "Set-Cookie: a=b", "x\r\nX-Injected: 1", "x\r\n\r\nHTTP/1.1 200 OK")
JSON = ("{}", "[]", "null", "true", "\"", "\\\"", "\"}", "{\"a\":1}", "\",\"status\":\"COMPLETED", "{\"$ref\":\"#\"}", "__proto__", "constructor", "[[[[[[", "1e999",
        "\\ud800", "//", "/**/", "'a'")
PATHS = ("..", "../..", "../../../../etc/passwd", "/etc/passwd", "/etc/shadow", "/proc/self/environ", "/dev/zero", "/dev/stdin", "./x", "//x", "a/../b", ".", "/", "",
         "..\\..\\x", "\\\\host\\share", "file:///etc/passwd", "http://127.0.0.1/", "a/", ".git", ".staging", "jr_slurm.db", "con", "nul", "aux.txt")
NUMBERS = ("1.5", "1e3", "0x10", "-1", "-0", "+1", "1,000", "1_000", "NaN", "Infinity", "-Infinity", "9223372036854775808", "18446744073709551616",
           "340282366920938463463374607431768211456", "1 ", " 1", "\u0661", "\uff11", "\u00bd", "1\n", "0b1", "1/0", "1e-400")
UNICODE = ("\u00e9", "e\u0301", "\u200b", "\u202e\u0074\u0078\u0074", "\ufeff", "\u2028\u2029", "\U0001f4a9", "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\u0130\u0131",
           "\u00df", "\ufb01", "\u3000", "\u00a0", "\u0000".replace("\u0000", "\u0001"), "\ufffd", "\ufffe", "\U0010ffff", "Z\u0335\u0321\u0353\u032a\u0359", "\u202a",
           "\u0e33\u0e33", "\u7530\u4e2d\u3055\u3093", "\u0440\u0443\u0441\u0441\u043a\u0438\u0439", "\u0627\u0644\u0639\u0631\u0628\u064a\u0629", "\u1f600", "\u2460", "\u212a")
LENGTHS = ("a" * 255, "a" * 256, "a" * 1025, "a/" * 600, " " * 300, "\n" * 50, "'" * 100, "\"" * 100, "\\" * 101, "$(" * 100, "%s" * 200, "\u00e9" * 500, "A" * 8000)
WORDS = ("undefined", "None", "nil", "false", "NaN", "root", "admin", "runner", "SUBMITTED", "status", "job_id", "exit", "BEGIN", "EOF", "on", "no")

# Not UTF-8: no text at all, so a 400.
BYTES = (b"\xff", b"\xfe\xff", b"\xc0\xaf", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xe2\x82", b"a\x80b", b"\xc3(", b"\xf8\x88\x80\x80\x80")


def strings(canary):
    """All of them, each once."""
    groups = (shell(canary), VARIABLES, FORMATS, SLURM, SQL, HTML, JSON, PATHS, NUMBERS, UNICODE, LENGTHS, WORDS)
    return list(dict.fromkeys(text for group in groups for text in group))
