r"""Rules that replace moments, lengths of time, sizes, numbers, and what is told more than once."""

from typing import Final

from app.domain.causes.rules import Rule, found

_MONTH: Final = "(?: jan | feb | mar | apr | may | jun | jul | aug | sep | oct | nov | dec ) [a-z]*"
_CLOCK: Final = r"(?: \d{1,2} : \d\d (?: : \d\d (?: [.,] \d+ )? )? )"
_ZONE: Final = r"(?: Z | [ ]? (?: GMT | UTC | [+-] \d\d :? \d\d ) )"
_ZH_CLOCK: Final = r"""(?: (?: 上午 | 下午 | 凌晨 | 晚上 )? \d{1,2} [时点] (?: \d{1,2} 分? )?
    (?: \d{1,2} 秒 )? )"""
_TIME_UNIT: Final = r"""(?: ns | us | µs | μs | ms | (?: milli | micro )?seconds? | msecs? | secs?
    | s | m | mins? | minutes? | h | hrs? | hours? | d | days? | weeks? )"""
_ZH_TIME_UNIT: Final = "(?: 毫秒 | 微秒 | 秒钟? | 分钟 | 分 | 个?小时 | 天 )"
_AMOUNT: Final = r"(?<! [A-Za-z_.] ) [-+]? \d+ (?: [.,] \d+ )*"

#: In the order in which they run; dates go before addresses, whose colons and dots they have.
DATES: Final[tuple[Rule, ...]] = (
    Rule(
        name="date, maybe with a time",
        finds=found(
            rf"""\b \d{{4}} [-/.] \d{{1,2}} [-/.] \d{{1,2}}
                 (?: (?: T | [ ] ) {_CLOCK} {_ZONE}? )? \b
               | \b (?: (?: mon | tue | wed | thu | fri | sat | sun ) [a-z]* ,? [ ] )?
                 (?: \d{{1,2}} [ -/] {_MONTH} | {_MONTH} \.? [ ] \d{{1,2}} ) \b ,?
                 (?: [ -/] \d{{4}} )? (?: [ :] {_CLOCK} {_ZONE}? )? \b
               | \d{{4}} 年 \d{{1,2}} 月 (?: \d{{1,2}} 日 )?
                 (?: \s? (?: {_ZH_CLOCK} | {_CLOCK} ) )?"""
        ),
        puts="<time>",
        example="licence ended on 2026-03-12T14:03:41.5Z; 许可于2026年3月12日 14时03分到期",
        template="licence ended on <time>; 许可于<time>到期",
    ),
    Rule(
        name="time of day",
        finds=found(
            rf"""\b \d{{1,2}} : \d\d : \d\d (?: [.,] \d+ )? (?: [ ]? [AP]M )? \b
               | \b \d{{1,2}} : \d\d [ ]? [AP]M \b
               | (?: 上午 | 下午 | 凌晨 | 晚上 ) \s? {_ZH_CLOCK}"""
        ),
        puts="<time>",
        example="quota resets at 14:03:41, 下午3点",
        template="quota resets at <time>, <time>",
    ),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(
        name="length of time",
        finds=found(
            rf"""(?<! [\w.] ) (?: \d{{1,3}} : )? \d{{1,2}} : \d\d (?: \. \d+ )? (?! [\w:] )
               | (?: {_AMOUNT} \s? {_TIME_UNIT} \b [ ]? )+ (?<! [ ] )
               | (?: {_AMOUNT} \s? {_ZH_TIME_UNIT} )+"""
        ),
        puts="<duration>",
        example="no answer in 12 seconds, limit 1h 30m; 超过12秒",
        template="no answer in <duration>, limit <duration>; 超过<duration>",
    ),
    Rule(
        name="size",
        finds=found(
            rf"""{_AMOUNT} \s? (?: [KMGTP]i?B | B | bytes? | bits? ) \b
               | {_AMOUNT} \s? (?: 个? [千兆吉]? 字节 | 兆 )"""
        ),
        puts="<size>",
        example="tried to allocate 2.00 GiB of 512 MB; 只有 0 字节",
        template="tried to allocate <size> of <size>; 只有 <size>",
    ),
    Rule(
        name="place in a text, in Chinese",
        finds=found(
            r"""第 \s? (?: \d+ | [零〇一二两三四五六七八九十百千万]+ )
                (?= \s? [个段章节句页行次条帧块片] )"""
        ),
        puts="第<n>",
        example="第12段音频无效，第三次重试",
        template="第<n>段音频无效,第<n>次重试",
    ),
    Rule(
        name="word of letters and digits in turn",
        finds=found(
            r"""(?<! [\w<] ) (?: [A-Za-z_-]* \d+ [A-Za-z]+ \d+ [\w-]* | (?= [a-z0-9_]* [A-Z] )
                (?= [A-Z0-9_]* [a-z] ) (?= [A-Za-z_]* \d ) \w{12,} ) (?! [\w>] )""",
            any_case=False,
        ),
        puts="<id>",
        example="bucket a8f3k2 is gone",
        template="bucket <id> is gone",
    ),
    Rule(
        name="number",
        finds=found(
            r"""(?<! [\w.] ) [-+]? \d+ (?: [.,] \d+ )* (?: e [-+]? \d+ )? (?: \s? % )?
              | (?<= [a-z] [_-] ) \d+ \b | (?<= [a-z] ) \d+ \b | (?<= _ ) \d+ (?= _ )"""
        ),
        puts="<n>",
        example="audio has 120 of 5,000 parts, 3.2 % (w3)",
        template="audio has <n> of <n> part, <n> (w<n>)",
    ),
    Rule(
        name="more of the same",
        finds=found(
            r"""< (n|str|size|duration|hex|id|path|file) > \s? [,;x×、]? \s? (?= < \1 > )
              | (?<= <n> ) , (?= \) )"""
        ),
        puts="",
        example="shape (3, 128, 7), files 'a', 'b'",
        template="shape (<n>), files <str>",
    ),
    Rule(
        name="one or many",
        finds=found(r"""(?<= >[ ] ) ( [a-z]{2,} [a-rt-z] ) s \b""", any_case=False),
        puts=r"\1",
        example="1 segment has no sound; 2 segments have -91 dBFS",
        template="<n> segment has no sound; <n> segment have <n> dBFS",
    ),
)
