r"""Rules that keep what says why something failed: codes, signals, statuses, names after a noun."""

import re
from typing import Final

from app.domain.causes.rules import Rule, found, keep, kept

#: Signals, statuses and codes, and how Chinese calls them.
_WORDS: Final = r"""(?: \b (?: [a-z]+ _ )?
      (?: code | errno | winerror | status | signal | exit | exited | exitcode | retcode | rc | ret
        | sqlstate | errcode | os[ ]error | (?: error | return | status | exit | close )[ ]code )
    | 错误码 | 错误代码 | 错误号 | 状态码 | 返回码 | 返回值 | 退出码 | 响应码 | 代码 | 信号 )"""
_UNITS: Final = r"(?: ms | s | sec | seconds? | bytes? | 秒 | 字节 )"


def _unwrapped(match: re.Match[str]) -> str:
    return f"{match[1]}: {match[2]}"


def _named(match: re.Match[str]) -> str:
    """A quoted name without its quotes: no rule for quoted strings takes it away then."""
    return f"{match[1]} {keep(match[3])}"


#: In the order in which they run.
RULES: Final[tuple[Rule, ...]] = (
    Rule(
        name="member of JSON that tells the cause",
        finds=found(
            r"""["'] (\w* (?: code | message | msg | reason | error | details? | type | status
                            | description )) ["'] \s* : \s* ["'] ([^"']*) ["']"""
        ),
        puts=_unwrapped,
        example='{"error": {"code": "quota_exceeded", "request_id": "8f3a91c2"}}',
        template="{error: {code: quota_exceeded, request_id: <str>}}",
    ),
    Rule(
        name="name of a member of JSON",
        finds=found(r"""["'] (\w{1,40}) ["'] (?= \s* : )"""),
        puts=r"\1",
        example='{"offset": 17}',
        template="{offset: <n>}",
    ),
    Rule(
        name="quoted name after a noun",
        finds=found(
            r"""\b ( module[ ]named | attribute | constraint | column | relation | table | symbol
                   | keyword[ ]argument | codec | encoder | decoder | operator | extension
                   | required[ ]property | field ) [ ] (["'`]) ([\w.-]{1,60}) \2"""
        ),
        puts=_named,
        example="No module named 'onnxruntime'",
        template="No module named onnxruntime",
    ),
    Rule(
        name="codec before its noun",
        finds=found(r"""(['"]) ([\w-]{2,20}) \1 (?= [ ]codec )"""),
        puts=lambda match: keep(match[2]),
        example="'utf-8' codec can't decode byte 0xff in position 12",
        template="utf-8 codec can't decode byte <hex> in position <n>",
    ),
    Rule(
        name="number after a word for a code",
        finds=found(
            rf"""{_WORDS}
                (?: [ ] (?: code | status | with | value | was | is | of | number ) ){{0,2}}
                ["']? [ ]* [=:\#(\[为是]{{0,2}} [ ]* ["']?
                (?: -? 0x[0-9a-f]+ | -? \d+ | [A-Z]{{1,8}} -? \d+ )
                (?! \d* (?: [.:] \d | [ ]* {_UNITS} \b ) )"""
        ),
        puts=kept,
        example="code=45000292 quota exceeded, reqid=8f3a91c20b7d",
        template="code=45000292 quota exceeded, reqid=<id>",
    ),
    Rule(
        name="error number in brackets",
        finds=found(r"""\[ (?: errno | winerror | ssl | error ) [ ]? -? \d+ \]"""),
        puts=kept,
        example="[Errno 28] No space left on device: '/data/tmp-91.wav'",
        template="[Errno 28] No space left on device: <str>",
    ),
    Rule(
        name="number of an error, and of one that Python prints",
        finds=found(
            r"""\b (?: error | err ) [ =:]{1,2} -\d{1,10} \b
              | \b error [ ] \d{1,4} (?= [ ] (?: connecting | while | from | in ) \b )
              | (?<= error \( ) -? \d{1,6} (?= , )"""
        ),
        puts=kept,
        example="ConnectionResetError(104, 'reset'), Error -3 while decompressing data",
        template="ConnectionResetError(104, <str>), Error -3 while decompressing data",
    ),
    Rule(
        name="status of HTTP",
        finds=found(
            r"""\b https? (?: / [\d.]+ )? (?: [ :]* (?: error | status | response | code ) )*
                [ :=]* [1-5]\d\d \b"""
        ),
        puts=kept,
        example="HTTP/1.1 429 for https://tts.example.com/v1?id=7",
        template="HTTP/1.1 429 for <url>",
    ),
    Rule(
        name="status of HTTP before its words",
        finds=found(
            r"""\b [45]\d\d \b (?= ,?[ ]
                (?: (?: client | server )[ ]error | message= | bad[ ] | unauthori | forbidden
                  | not[ ]found | payment | method[ ] | not[ ]accept | conflict | gone | payload
                  | request[ ] | unsupported | unprocess | locked | too[ ]many | internal[ ]
                  | not[ ]impl | service[ ]un | gateway | response ) )"""
        ),
        puts=kept,
        example="503 Server Error: Service Unavailable for url: http://10.0.0.4:8080/tts",
        template="503 Server Error: Service Unavailable for url: <url>",
    ),
    Rule(
        name="code of a closed WebSocket",
        finds=found(
            r"""\b (?: received | sent | closed? ) [ ] (?: with[ ] )? 1[01]\d\d
                (?= [ ] \( | [ ]? [:;,)] | $ )"""
        ),
        puts=kept,
        example="received 1011 (internal error) after 812 frames",
        template="received 1011 (internal error) after <n> frame",
    ),
    Rule(
        name="signal by its name and number",
        finds=found(r"""\b SIG[A-Z]{2,6} (?: [ :(]* \d{1,2} )? \b""", any_case=False),
        puts=kept,
        example="died with <Signals.SIGKILL: 9>, pid 4711",
        template="died with <Signals.SIGKILL: 9>, pid <id>",
    ),
    Rule(
        name="code of capital letters and digits",
        finds=found(
            r"""(?<! [\w./-] ) (?<! [Dd号识][:=] ) (?<! [Dd号识][:=][ ] )
                (?! (?: REQ | ID | TASK | JOB | SEG | SN | PID | TID | NO | HTTP | CHUNK | PART
                      | GPU | CPU | W ) -? \d )
                [A-Z]{1,6} -? \d{3,6} (?! [\w-] )""",
            any_case=False,
        ),
        puts=kept,
        example="ORA-12541: no listener at 10.0.0.7:1521",
        template="ORA-12541: no listener at <host>",
    ),
)
