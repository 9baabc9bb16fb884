r"""Rules that replace names of single things: what is quoted, addresses, paths, ids, voices."""

from typing import Final

from app.domain.causes.rules import Rule, found, keep, kept, string

_ENDING: Final = r"""(?: wav | mp3 | flac | opus | ogg | m4a | aac | pcm | raw | txt | md | jsonl?
    | ya?ml | toml | ini | cfg | csv | tsv | xml | html? | onnx | pth? | ckpt | bin | safetensors
    | gguf | np[yz] | pkl | so | dll | dylib | pyc? | log | tmp | part | srt | vtt | db | sqlite3?
    | zip | gz | tar | lock | sock | pid | conf | pdf | epub | docx? ) (?! \w )"""
#: What no element of a path has.
_NO: Final = r"\s/\\'\"():;,<>|\[\]{}“”「」《》"
_DOMAIN: Final = r"""(?: com | net | org | io | cn | ai | dev | local | internal | svc | lan | cloud
    | app | co | edu | gov | info | us | uk | de | jp | kr | eu | example | test | invalid | intra
    | corp | home )"""
_PORT: Final = r"(?: : \d{1,5} )"
#: A part of an address of version 6.
_HEX: Final = "[0-9a-f]{1,4}"

#: In the order in which they run; dates go after what is quoted, and before addresses.
QUOTED: Final[tuple[Rule, ...]] = (
    Rule(
        name="printed object",
        finds=found(r"""< ([\w.]+) [^<>]*? \b at [ ] 0x[0-9a-f]+ >"""),
        puts=lambda match: f"<{keep(match[1])}>",
        example="<urllib3.HTTPSConnection object at 0x7f3a5c0b2d90>: refused",
        template="<urllib3.HTTPSConnection>: refused",
    ),
    Rule(
        name="address of the web",
        finds=found(r"""\b [a-z][\w+.-]{1,20} :// [^\s'"<>()\[\]{},;，。；）」”]+ (?<! [.:!?] )"""),
        puts="<url>",
        example="cannot reach wss://api.example.com/v3?reqid=77, giving up",
        template="cannot reach <url>, giving up",
    ),
    Rule(
        name="string in straight quotes",
        finds=found(
            r"""(?<! [\w'"] ) [bru]?
                (?: ' (?: [^'\\] | \\. )* ' | " (?: [^"\\] | \\. )* " | ` [^`]* ` ) (?! [\w'"] )"""
        ),
        puts=string,
        example="voice 'amy-low' can't be loaded by \"piper\"",
        template="voice <str> can't be loaded by <str>",
    ),
    Rule(
        name="string in other quotes",
        finds=found(
            r"""“ [^“”]* ” | ‘ [^‘’]* ’ | 「 [^「」]* 」 | 『 [^『』]* 』 | 《 [^《》]* 》
              | « [^«»]* »"""
        ),
        puts=string,
        example="找不到音色“晓晓”",
        template="找不到音色<str>",
    ),
)
RULES: Final[tuple[Rule, ...]] = (
    Rule(
        name="e-mail",
        finds=found(r"""\b [\w.+-]+ @ [\w-]+ (?: \. [\w-]+ )+ \b"""),
        puts="<email>",
        example="account li.wei+tts@example.cn is locked",
        template="account <email> is locked",
    ),
    Rule(
        name="name of a resource, uuid, context of a trace",
        finds=found(
            r"""\b arn : [\w:/.*+=@-]* [\w/*]
              | \b [0-9a-f]{8} - (?: [0-9a-f]{4} - ){3} [0-9a-f]{12} \b
              | \b [0-9a-f]{2} - [0-9a-f]{32} - [0-9a-f]{16} - [0-9a-f]{2} \b"""
        ),
        puts="<id>",
        example="session 0d1c2b3a-4f5e-6789-abcd-0123456789ab of arn:aws:iam::6947:user/li",
        template="session <id> of <id>",
    ),
    Rule(
        name="address of version 4",
        finds=found(rf"""\b \d{{1,3}} (?: \. \d{{1,3}} ){{3}} {_PORT}? \b (?! \. \d )"""),
        puts="<host>",
        example="connect to 10.1.2.3:5432 refused",
        template="connect to <host> refused",
    ),
    Rule(
        name="address of version 6",
        finds=found(
            rf"""\[? (?<! [\w:.] ) (?: {_HEX} : ){{2,7}} (?: :? {_HEX} (?: ::? {_HEX} )* | : )
                     (?! [\w.] ) \]? {_PORT}?
               | \[? (?<! [\w:.] ) :: {_HEX} (?: : {_HEX} ){{0,6}} (?! [\w.] ) \]? {_PORT}?"""
        ),
        puts="<host>",
        example="connect to [2001:db8::17]:443 refused, 2001:db8:0:1:1:1:1:1 too",
        template="connect to <host> refused, <host> too",
    ),
    Rule(
        name="name of a host",
        finds=found(
            rf"""\b (?: [a-z0-9_] [\w-]* \. )+ {_DOMAIN} {_PORT}? \b (?! [.\w/(-] )
               | \b localhost {_PORT}? \b
               | (?: (?<= host[ ] ) | (?<= node[ ] ) | (?<= peer[ ] ) | (?<= server[ ] )
                   | (?<= connect[ ]to[ ] ) | (?<= connecting[ ]to[ ] ) ) [\w.-]+ : \d{{2,5}} \b"""
        ),
        puts="<host>",
        example="getaddrinfo failed for tts-3.example.com:8443",
        template="getaddrinfo failed for <host>",
    ),
    Rule(
        name="path",
        finds=found(
            rf"""(?<! [\w<>./] ) (?: ~ | \.{{1,2}} | [A-Z]: )? (?: [/\\] [^{_NO}]+ (?= [/\\] ) )*
                 [/\\] (?: [^{_NO}]+? \. {_ENDING}
                         | [\w.+@%~=-]* [\w+@%~=-] (?: \? [^\s'",)]* )? ) [/\\]?
                 (?: : \d+ (?: : \d+ )? )?
               | (?<! [\w<>./] ) [\w.-]+ (?: / [\w.+-]+ )* / [\w.+-]+ \. {_ENDING}"""
        ),
        puts="<path>",
        example="无法写入 /data/out/第一章.wav: 磁盘已满",
        template="无法写入 <path>: 磁盘已满",
    ),
    Rule(
        name="name of a file",
        finds=found(
            rf"""(?<! [\w.] ) \w [\w.+@~-]* \. {_ENDING}
               | (?<= 文件 ) \s? [^{_NO}，。；：]{{1,80}}? \. {_ENDING}"""
        ),
        puts="<file>",
        example="cannot open chunk_0012.wav",
        template="cannot open <file>",
    ),
    Rule(
        name="value of something that names one",
        finds=found(
            r"""(?: \b ( (?: [a-z]+ [_ -]? )??
                  (?: id | ids | uid | uuid | reqid | logid | traceid | requestid | sessionid
                    | connectid | nonce | token | key | session | trace | request | req | job | task
                    | pid | tid | thread | process | worker | segment | chunk | connection
                    | stream ) )
                | ( (?: 请求 | 任务 | 会话 | 日志 | 追踪 | 流水 | 连接 | 用户 | 订单 | 进程 )?
                    (?: 编号 | 标识 | 号 | ID ) ) )
                ( ["']? \s* [:=\#]{1,2} \s* ["']? | \s+ | (?<= [号识D] ) )
                (?= [\w.+/=-]* \d | [\w+/=-]{16,} ) ( [\w.+/=~-]* [\w=~] )"""
        ),
        puts=lambda match: f"{match[1] or match[2]}{match[3]}<id>",
        example="reqid=20260312140341AF0012, request: 77",
        template="reqid=<id>, request: <id>",
    ),
    Rule(
        name="name of a voice or a model",
        finds=found(
            r"""\b [a-z]{2,3} - [A-Z]{2,4} (?: - [a-z]+ )? - [A-Z]\w+
              | (?: (?<= voice[ ] ) | (?<= speaker[ ] ) | (?<= model[ ] ) )
                (?= [\w.-]* [-_\d] ) [\w.-]* \w
              | (?<= 音色 ) \s? [A-Za-z][\w.-]* \w""",
            any_case=False,
        ),
        puts="<name>",
        example="en-US-AriaNeural is no voice; voice amy-low neither; 音色 zh_female_2 不存在",
        template="<name> is no voice; voice <name> neither; 音色<name> 不存在",
    ),
    Rule(
        name="name that is not known",
        finds=found(
            r"""\b ( (?: unsupported | unknown | invalid | missing | no[ ]such | unrecognized ) [ ]
                (?: voice | speaker | model | language | locale | lexicon | preset )
                (?: [ ]? [:=] )? [ ] ) (?! < ) [^\s.,;:()<>]+ (?: [.-] \w+ )*"""
        ),
        puts=r"\1<name>",
        example="Unsupported voice 晓晓. USP state: 3",
        template="Unsupported voice <name>. USP state: <n>",
    ),
    Rule(
        name="id with a word before it",
        finds=found(
            r"""\b ( org | req | user | acct | sess | proj | sk | pk | run | msg | resp | chatcmpl
                   | task | job | file | batch ) ( [-_] ) \w{8,} \b"""
        ),
        puts=r"\1\2<id>",
        example="limit reached in org-YAobqRmPVnTqb",
        template="limit reached in org-<id>",
    ),
    Rule(
        name="name of a kind that ends with a number",
        finds=found(
            r"""\b (?: mp[34] | h26[45] | utf-?(?: 8 | 16 | 32 ) (?: -?[lb]e )? | iso-8859-\d+
                  | gb(?: 2312 | 18030 ) | big5 | libmp3lame | 3gpp? | sqlite3 | urllib3 | psycopg2?
                  | boto3 | s3 | ec2 | k8s | [sfu](?: 8 | 16 | 24 | 32 | 64 )(?: [lb]e )?
                  | (?: u?int | float | fp | bf | pcm | q | base | sha | aes | crc | md | ipv | http
                      | tls | tlsv | ssl | oauth | x | arm | amd | aarch | win | vp | av | ac | eac
                      | mpeg | id3v | wav2vec | gpt | qwen ) -? \d{1,4} (?: \.\d )?
                      (?: [_-]\d{1,2} )?
                  ) \b"""
        ),
        puts=kept,
        example="the mp3 encoder wants s16le, got float32 (7 bytes)",
        template="the mp3 encoder wants s16le, got float32 (<size>)",
    ),
    Rule(
        name="hexadecimal number",
        finds=found(
            r"""\b 0[xX] [0-9a-fA-F]+ \b | \\x [0-9a-fA-F]{2} (?: \\x [0-9a-fA-F]{2} )*
              | \b (?= [a-f]* \d ) (?= \d* [a-f] ) [0-9a-f]{8,} \b
              | \b (?= [A-F]* \d ) (?= \d* [A-F] ) [0-9A-F]{8,} \b | \b [a-f]{16,} \b""",
            any_case=False,
        ),
        puts="<hex>",
        example="checksum 9f2c71b0aa is not 0x7F",
        template="checksum <hex> is not <hex>",
    ),
)
