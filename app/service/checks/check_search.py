"""The check of searches: whether what `text:` and `error:` look for has an index."""

from typing import Final

from app.service.checks.check import Check, Said
from app.service.core import Core
from app.store import search_index

_INDEXED: Final = Said(en="texts and errors have an index", zh="文本和错误信息已建索引")
_LATIN: Final = Said(
    en=(
        "texts and errors have an index, but this database knows letters from a to z only"
        " (lc_ctype C): other words are looked for in 50 000 tasks at a time"
    ),
    zh=(
        "文本和错误信息已建索引，但此数据库只识别 a 到 z 的字母（lc_ctype 为 C）："
        "其他文字每次在 50 000 个任务中查找"
    ),
)
_NONE: Final = Said(
    en="PostgreSQL's extension pg_trgm is missing: searches look at 50 000 tasks at a time",
    zh="缺少 PostgreSQL 扩展 pg_trgm：每次只在 50 000 个任务中查找",
)
_FIX: Final = Said(
    en=(
        "let its owner run `CREATE EXTENSION pg_trgm` in this database (package"
        " postgresql-contrib), then `voxtrace migrate`"
    ),
    zh=(
        "请让数据库所有者执行 `CREATE EXTENSION pg_trgm`（软件包 postgresql-contrib），"
        "然后运行 `voxtrace migrate`"
    ),
)


def search(core: Core) -> Check:
    """What the indexes of searches can do."""
    with core.database.read() as conn:
        found = search_index.state(conn)
    if not found.is_there:
        return Check(name="search", level="warn", said=_NONE, fix=_FIX)
    said = _INDEXED if found.knows_all_letters else _LATIN
    return Check(name="search", level="ok", said=said)
