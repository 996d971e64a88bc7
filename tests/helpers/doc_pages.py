"""Read the documentation: pages, code blocks, commands, links, headings and inline code.

New pages and commands are found automatically.
"""

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PATTERNS = (
    *("README.md", "CONTRIBUTING.md", "docs/*.md", "model/README.md", "output/README.md"),
    *("images/CREDITS.md", "notebooks/*.md", "notebooks/course/*.md"),
)
COMMANDS, PYTHON, TEXT = "", "python", "text"  # languages of code blocks
LISTS = ("toml", "csv", "json")  # languages of job lists
FENCE = re.compile(r"^( *)```(.*)$")
HEADING = re.compile(r"^#+ +(.+?) *$", re.M)
LINK = re.compile(r"(!?)\[((?:[^][]|\[[^][]*\])*)\]\(([^()\s]+)\)")
INLINE = re.compile(r"(?<!`)(`{1,2})(?!`)(.+?)(?<!`)\1(?!`)", re.S)
FLAG = re.compile(r"(?<![\w-])--[a-z][a-z0-9_-]*")


def pages():
    """Return the paths of all pages, relative to the root of the repository."""
    paths = [path for pattern in PATTERNS for path in sorted(ROOT.glob(pattern))]
    return [path.relative_to(ROOT).as_posix() for path in paths]


def read(page):
    return (ROOT / page).read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    """A code block between two lines of three backticks."""

    page: str
    line: int  # number of the first line
    language: str
    text: str

    def __str__(self):
        return f"{self.page}:{self.line}"


def blocks(page):
    """Return the blocks of a page; raise an error if one is not closed."""
    found, opened = [], None
    for number, line in enumerate(read(page).splitlines(), 1):
        fence = FENCE.match(line)
        if not fence:
            if opened:
                opened[2].append(line)
        elif opened:
            first, language, lines = opened
            found.append(Block(page, first, language, "\n".join(lines) + "\n"))
            opened = None
        else:
            opened = number + 1, fence[2].strip(), []
    assert not opened, f"{page}: the block at line {opened[0]} is not closed"
    return found


def all_blocks(*languages):
    return [block for page in pages() for block in blocks(page) if block.language in languages]


@dataclass(frozen=True)
class Command:
    """A shell command, joined from lines that end in a backslash."""

    where: str
    text: str

    @property
    def words(self):
        """The words of the command, split as in a shell, without its comment."""
        return shlex.split(self.text, comments=True)

    @property
    def status(self):
        """The exit status that its comment states, as in ``# refused, status 2``."""
        match = re.search(r"#.*\bstatus (\d+)", self.text)
        return int(match[1]) if match else 0


def commands(block):
    """Return the commands of a block."""
    found, text = [], ""
    for number, line in enumerate(block.text.splitlines(), block.line):
        text += line.strip()
        if text.endswith("\\"):
            text = text[:-1].rstrip() + " "
            continue
        command, text = Command(f"{block.page}:{number}", text), ""
        if command.words:
            found.append(command)
    assert not text, f"{block}: it ends in a backslash"
    return found


def table_blocks(page, command):
    """Return the commands in the last column of each table of a page, a block for each table.

    Options are appended to `command`.
    """
    found, number = {}, 0
    for line_number, line in enumerate(prose(page).splitlines(), 1):
        if not line.startswith("|"):
            number = line_number
            continue
        for _, code in INLINE.findall(line.rstrip(" |").rpartition(" | ")[2]):
            if code.startswith(("--", "python -m ")):
                text = f"{command} {code}" if code.startswith("--") else code
                found.setdefault(number + 1, []).append(text)
    return [Block(page, at, COMMANDS, "\n".join(texts) + "\n") for at, texts in found.items()]


def all_commands():
    return [command for block in all_blocks(COMMANDS) for command in commands(block)]


def prose(page):
    """Return a page with blank lines in place of its blocks."""
    lines, in_block = [], False
    for line in read(page).splitlines():
        fence = FENCE.match(line)
        lines.append("" if in_block or fence else line)
        in_block ^= bool(fence)
    return "\n".join(lines)


def links(page):
    """Return the (line, whether it is an image, text, target) of each link."""
    text = prose(page)
    without_code = INLINE.sub(lambda match: "x" * len(match[0]), text)
    return [
        (text[: match.start()].count("\n") + 1, match[1] == "!", match[2], match[3])
        for match in LINK.finditer(without_code)
        if not re.match(r"[a-z]+:", match[3])
    ]


def anchors(page):
    """Return the anchors of the headings of a page, as code hosts generate them."""
    found = set()
    for heading in HEADING.findall(prose(page)):
        words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower())
        found.add(words.replace(" ", "-"))
    return found


def inline(page):
    """Return the inline code of a page."""
    return [" ".join(match[2].split()) for match in INLINE.finditer(prose(page))]
