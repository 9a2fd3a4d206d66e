"""Random command lines: a valid one of some command, of tiny size, in which now and then something is wrong."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from input_files import InputFiles

#: Parts of a line: an option with its value, a flag, or an argument.
Parts = list[list[str]]

#: In place of a number. No moderately large one: it would ask for real work.
ODD_NUMBERS = (
    "0", "-1", "-0.0", "1e308", "-1e308", "1e-308", "5e-324", "1e400", "nan", "inf", "-inf", "", " ", "½", "1,5",
    "0x10", "\uff11", " 1 ", "1_0", "1e", "--1", "abc", "0.5.5", "99999999999999999999999", "-99999999999999999999999",
    "\udcff", "True", "None", "1\n2", "\u202e1", "0.30000000000000004", "1e-17", "0.9999999999999999",
    "1.0000000000000002",
)  # fmt: skip
#: In place of words.
ODD_WORDS = (
    "", " ", "HARD", "hard ", "é", "\udcff\udcfe", "x" * 3000, "a\nb", "\x1b[31m", "band:", "band:nan", "band:-1",
    "band:1", "band:0.999999999999", "band:1e-300", "none", "None", "0", "%s%n{}{0}", "../..", "\u2028", "🙂" * 50,
    "keep", "harder", "hard,easy", "=", "a=b", "a=", "=b", "theta=nan", "N=-1", "N=1e308", "student=", "n_total=400",
    "float16", "object", "S10", "M8[s]", "<f8", "float64,int8", "__class__", "el2n", "uid", "label", "-", "--",
)  # fmt: skip
#: In place of files.
ODD_PATHS = (
    "", ".", "..", "/", "no-such-file.npy", "no/such/folder/s.csv", "no-such.parquet", "no-such.pt", "no-such", "*",
    "shards/*.parquet", "scores/*", "\udcff.npy", "x" * 300, "x" * 5000, "/dev/null", "/proc/self/mem", "~", "-",
    "é.csv",    "scores/s.npy/", "scores/s.npy/x.npy", "[", "{}", "a\nb", "http://localhost/s.csv", "s3://a/b.parquet",
    "file:scores/s.npy",
)  # fmt: skip
#: In place of the folder for results.
ODD_OUTS = (
    "", ".", "existing.csv", "existing.csv/sub", "full", "/dev/null", "/dev/null/x", "/proc/x", "new/deep/er", "é ü",
    "new\udcff", "x" * 300, "y" * 5000, "a\nb", "-", "--help", "out.csv", "new.csv", "full/../new", "scores/s.npy",
    "folder", "link", "dangling",
)  # fmt: skip
#: Anywhere.
JUNK = (
    "--", "-", "---", "--=", "-=x", "--nonsense", "--nonsense=1", "-z", "\udcff", "", "--f\u00e9", "x" * 3000, "--help",
    "-h", "--version", "&&", "$(id)", "--Selection", "-abc", "--no-such=\n", "@file", "1", "solve",
)  # fmt: skip

NUMBER, ALPHA_PRUNE, WORD, PATH, OUT, COUNT, FLAG = "number", "alpha", "word", "path", "out", "count", "flag"
#: At 1e308 with f = 1 the theory tries for a quarter of a minute before it gives up: rightly, but too long for here.
_ODD_ALPHAS = tuple(odd for odd in ODD_NUMBERS if odd != "1e308")
#: Counts decide how much work there is; these are refused or small.
_ODD_COUNTS = tuple(odd for odd in ODD_NUMBERS if odd not in ("1_0",))
_ODD = {
    NUMBER: ODD_NUMBERS,
    ALPHA_PRUNE: _ODD_ALPHAS,
    WORD: ODD_WORDS,
    PATH: ODD_PATHS,
    OUT: ODD_OUTS,
    COUNT: _ODD_COUNTS,
    FLAG: ODD_WORDS,
}


@dataclass(frozen=True)
class Choice:
    """Values of an option, and what kind of thing stands for them when they are wrong."""

    kind: str
    values: tuple[str, ...] = ()

    def odd(self, rng: random.Random) -> str:
        others = (ODD_NUMBERS[0], *ODD_WORDS) if self.kind in (WORD, PATH) else ("", "abc", "\udcff")
        return rng.choice(_ODD[self.kind] if rng.random() < 0.85 else others)


@dataclass(frozen=True)
class Command:
    """A command: words that call it, options always and sometimes given, what must not be lost, how often it comes."""

    words: tuple[str, ...]
    weight: int
    always: Mapping[str, Choice] = field(default_factory=dict)
    sometimes: Mapping[str, Choice] = field(default_factory=dict)
    #: Without these the command would do real work.
    kept: frozenset[str] = frozenset()
    #: Share of lines with nothing wrong: small where a valid line takes a second.
    valid: float = 0.5


def numbers(*values: str) -> Choice:
    return Choice(NUMBER, values)


def words(*values: str) -> Choice:
    return Choice(WORD, values)


def counts(*values: str) -> Choice:
    return Choice(COUNT, values)


F = numbers("0.3", "0.5", "1", "0.05", ".25", "3e-1")
THETA = numbers("0", "10", "20.5", "90", "45", "1e-3")
ALPHA = Choice(ALPHA_PRUNE, ("3", "0.5", "1", "10", "2.5"))
RULE = words("hard", "easy", "random", "band:0.1", "band:0")
LOSS = words("logistic", "hinge", "square", "squared-hinge")
LAM = words("0", "0.1", "1", "optimal", "10")
SEED_OPTION = numbers("0", "1", "7", "123456789")
OUT_OPTION = Choice(OUT, ("out", "out", "out/deep", "full"))
METRICS = (
    "gibbs",
    "el2n",
    "surrogate_sampling",
    "max-margin",
    "DDD",
    "self-supervised-prototypes",
    "sorscher2022",
    "EL2N",
)
READING = {
    "--higher-is": words("harder", "easier", "keep"),
    "--column": words("el2n"),
    "--key": words("el2n"),
    "--ids": words("uid"),
    "--labels": words("label", "labels/labels.npy"),
    "--dtype": words("float32", "float64", "int16"),
}  # fmt: skip
FITTED = {
    "--intervals": words("normal"),
    "--free": words("N", "N,theta"),
    "--fix": words("floor=0", "theta=0.2"),
}
FITTING = {
    "--where": words("selection=hard|random", "seed=0", "n_total=400|1600|6400"),
    "--chance": numbers("0.5", "0.9"),
    "--level": numbers("0.95", "0.5"),
    "--seed": SEED_OPTION,
    "--n-bootstrap": counts("2"),
    "--out": OUT_OPTION,
}  # fmt: skip

COMMANDS = (
    Command(
        ("solve",),
        30,
        {"--alpha-prune": ALPHA, "--f": F},
        {
            "--theta-deg": THETA,
            "--selection": RULE,
            "--student": Choice(WORD, ("max-margin", "gibbs", "bayes-point")),
            "--flip": numbers("0"),
        },
    ),
    Command(
        ("solve",),
        12,
        {"--alpha-prune": ALPHA, "--f": F, "--student": LOSS, "--lam": LAM},
        {"--theta-deg": THETA, "--selection": RULE, "--flip": numbers("0", "0.1", "0.4")},
    ),
    Command(("select",), 22, {"--f": F}, {
        "--mode": RULE, "--random-share": numbers("0", "0.2", "1"), "--class-floor": numbers("0", "0.5", "1"),
        "--seed": SEED_OPTION, "--out": OUT_OPTION,
    }),
    Command(("select",), 6, {"--f": F, "--stream": Choice(FLAG)}, {
        "--mode": RULE, "--random-share": numbers("0", "0.2"), "--seed": SEED_OPTION, "--out": OUT_OPTION,
    }),
    Command(("select",), 1, {"--f": F, "--mode": words("policy"), "--alpha-tot": ALPHA, "--theta-deg": THETA}, {}),
    Command(
        ("simulate",),
        14,
        {"--n": counts("2", "3", "6", "8"), "--trials": counts("1", "2"), "--alpha-prune": ALPHA, "--f": F},
        {
            "--theta-deg": THETA, "--selection": RULE, "--seed": SEED_OPTION, "--workers": counts("1"),
            "--out": Choice(OUT, ("out.csv", "new.csv", "existing.csv", "full/out.csv")),
        },
        frozenset({"--n", "--trials"}),
    ),
    Command(("scores", "inspect"), 6, {}, {"--out": OUT_OPTION}, valid=0.3),
    Command(("cite",), 5),
    Command(("figures",), 5, {}, {"--fast": Choice(FLAG), "--out": OUT_OPTION}),
    Command(
        ("frontier",),
        4,
        {"--points": counts("2"), "--theta-deg": THETA, "--alpha-tot-max": numbers("10")},
        {
            "--selection": RULE, "--f-min": numbers("0.1"), "--alpha-min": numbers("1"), "--alpha-max": numbers("5"),
            "--by": words("rank", "value"), "--out": OUT_OPTION, "--student": words("max-margin"),
        },
        frozenset({"--points", "SCORES"}),
        0.15,
    ),
    Command(
        ("compare",),
        4,
        {"--n": counts("4", "6", "8"), "--trials": counts("2"), "--alpha-prune": numbers("1", "2.5"), "--f": F},
        {"--theta-deg": THETA, "--selection": RULE, "--seed": SEED_OPTION, "--workers": counts("1"),
         "--out": OUT_OPTION},
        frozenset({"--n", "--trials", "--alpha-prune"}),
        0.15,
    ),
    Command(("calibrate",), 4, FITTED, FITTING, frozenset({"--intervals", "--free"}), 0.1),
    Command(
        ("recommend",),
        4,
        {**FITTED, "--pool": numbers("1000", "20000"), "--budget": numbers("100", "900")},
        FITTING,
        frozenset({"--intervals", "--free"}),
        0.1,
    ),
    Command(("explore",), 1, {"--nonsense": words("1")}, kept=frozenset({"--nonsense"})),
)  # fmt: skip


class CommandLines:
    """Line `number`, always the same for the same number."""

    def __init__(self, files: InputFiles, seed: int) -> None:
        self.files = files
        self.seed = seed

    def line(self, number: int) -> list[str]:
        rng = random.Random(f"{self.seed}:{number}")
        command = rng.choices(COMMANDS, [one.weight for one in COMMANDS])[0]
        broken = rng.random() >= command.valid
        parts = self._options(command, rng) + self._arguments(command, broken, rng)
        rng.shuffle(parts)
        for _ in range(rng.choice([1, 1, 1, 2, 4]) if broken else 0):
            self._break(command, parts, rng)
        before = [rng.choice(JUNK)] if broken and rng.random() < 0.03 else []
        return [*before, *command.words, *(token for part in parts for token in part)]

    def _options(self, command: Command, rng: random.Random) -> Parts:
        chosen = dict(command.always)
        chosen |= {name: choice for name, choice in command.sometimes.items() if rng.random() < 0.3}
        return [_option(name, choice, rng) for name, choice in chosen.items()]

    def _arguments(self, command: Command, broken: bool, rng: random.Random) -> Parts:
        """Files with the options that read them, or names."""
        name = command.words[0]
        if name in ("select", "scores"):
            return self._scores(broken, "--stream" in command.always, rng)
        if name == "frontier":
            return self._scores(broken, False, rng)
        if name in ("calibrate", "recommend"):
            bad = broken and rng.random() < 0.5
            runs = rng.choice([*self.files.bad_runs, *ODD_PATHS] if bad else self.files.runs)
            return [[runs, *([rng.choice(self.files.bad_scores)] if broken and rng.random() < 0.1 else [])]]
        if name == "figures":
            return [["no-figure", "nor-this", *([rng.choice(ODD_WORDS)] if rng.random() < 0.5 else [])]]
        if name == "cite":
            return [[rng.choice(METRICS)] for _ in range(rng.randrange(4))]
        return []

    def _scores(self, broken: bool, stream: bool, rng: random.Random) -> Parts:
        bad = broken and rng.random() < 0.5
        name = rng.choice([*self.files.bad_scores, *ODD_PATHS] if bad else self.files.scores)
        if stream and not bad:
            name = rng.choice(["shards", "shards/*.parquet", "scores/s.csv", "scores/s.parquet", "scores/s.npy"])
        return [[name], *_reading(name, rng)]

    def _break(self, command: Command, parts: Parts, rng: random.Random) -> None:
        """One thing wrong, or merely written in another way."""
        at = rng.randrange(len(parts)) if parts else 0
        kind = rng.random()
        if parts and kind < 0.5:
            self._replace(command, parts, at, rng)
        elif parts and kind < 0.62:
            if not self._kept(command, parts[at]):
                del parts[at]
        elif parts and kind < 0.72:
            again = parts[at] if rng.random() < 0.3 else self._other(command, parts[at], rng)
            parts.insert(rng.randrange(len(parts) + 1), again)
        elif kind < 0.82:
            other = rng.choice(COMMANDS)
            options = {**other.always, **other.sometimes, **READING}
            name = rng.choice(list(options))
            if name not in command.kept:
                parts.insert(at, _option(name, options[name], rng))
        elif parts and kind < 0.9 and parts[at][0].startswith("--") and len(parts[at]) == 2:
            parts[at] = [f"{parts[at][0]}={parts[at][1]}"]
        else:
            parts.insert(rng.randrange(len(parts) + 1), [rng.choice(JUNK)])

    def _replace(self, command: Command, parts: Parts, at: int, rng: random.Random) -> None:
        if command.words == ("figures",) and parts[at][0] == "no-figure":
            return
        parts[at] = self._other(command, parts[at], rng)

    def _other(self, command: Command, part: Sequence[str], rng: random.Random) -> list[str]:
        """The same option or argument with an odd value."""
        choice = {**READING, **command.always, **command.sometimes}.get(part[0])
        if choice is None:
            return [rng.choice(ODD_PATHS if part[0] not in METRICS else ODD_WORDS), *part[1:]]
        return [part[0], choice.odd(rng)] if choice.kind != FLAG else [f"{part[0]}={choice.odd(rng)}"]

    def _kept(self, command: Command, part: Sequence[str]) -> bool:
        protected = {"no-figure", *command.kept}
        return part[0] in protected or ("SCORES" in protected and not part[0].startswith("--"))


def _option(name: str, choice: Choice, rng: random.Random) -> list[str]:
    return [name] if choice.kind == FLAG else [name, rng.choice(choice.values)]


def _reading(name: str, rng: random.Random) -> Parts:
    """Options that read a file of this name, if it is what its name says."""
    file = name.rstrip("/").rpartition("/")[2]
    if file.startswith("ImageNet-1K_"):
        return []
    options = [["--higher-is", rng.choice(READING["--higher-is"].values)]]
    named = [["--ids", "uid"], ["--labels", "label"]]
    if file.endswith((".csv", ".parquet")) or name.startswith("shards"):
        return [*options, ["--column", "el2n"], *(one for one in named if rng.random() < 0.4)]
    if file.endswith((".npz", ".pt")):
        return [*options, ["--key", "el2n"], *(one for one in named if rng.random() < 0.4)]
    return [*options, ["--dtype", "float32"]] if file.endswith(".bin") else options
