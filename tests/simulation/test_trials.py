"""Trials: the same numbers wherever they run, each its own, and every bad argument named."""

from __future__ import annotations

import math
import multiprocessing
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import loky
import numpy as np
import pytest
from threadpoolctl import threadpool_info

import perceptron_theory as pt
from perceptron_theory.margins.selection import Selection
from perceptron_theory.problem import Problem
from perceptron_theory.simulation import execution
from perceptron_theory.simulation.finite import FiniteProblem
from perceptron_theory.simulation.simulation import MEASURED
from perceptron_theory.simulation.training.trained import Trained, UncertifiedError

#: Five pieces of work of 16 trials and less.
CALL: dict[str, Any] = {
    "N": 20,
    "alpha_prune": 2.0,
    "f": 0.4,
    "theta": 0.3,
    "selection": "hard",
    "trials": 70,
    "seed": 5,
}


def simulate(**change: Any) -> pt.Simulation:
    return pt.simulate(**(CALL | change))


@pytest.fixture(scope="module")
def here() -> pt.Simulation:
    """In this process alone."""
    return simulate(workers=1)


def assert_same_bits(one: pt.Simulation, other: pt.Simulation, trials: int | None = None) -> None:
    for name in MEASURED:
        np.testing.assert_array_equal(getattr(one, name)[:trials], getattr(other, name)[:trials], err_msg=name)


# Where the trials run


def spawning(n: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(n, mp_context=multiprocessing.get_context("spawn"))


@contextmanager
def dask_cluster() -> Iterator[Executor]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client.get_executor()


EXECUTORS: dict[str, Callable[[], AbstractContextManager[Executor]]] = {
    "threads": lambda: ThreadPoolExecutor(3),
    "processes": lambda: spawning(2),
    "dask": dask_cluster,
}


@pytest.mark.parametrize("kind", EXECUTORS)
def test_any_executor_gives_the_same_bits(kind: str, here: pt.Simulation) -> None:
    with EXECUTORS[kind]() as executor:
        assert_same_bits(simulate(executor=executor), here)


def test_more_workers_give_the_same_bits(here: pt.Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the work were long: processes join after two pieces. A keep probability may be any function there."""
    used = []
    start: Callable[..., Executor] = loky.get_reusable_executor

    def spy(workers: int, **options: Any) -> Executor:
        assert workers == 2
        used.append(start(workers, **options))
        return used[-1]

    monkeypatch.setattr(execution, "_SHORT", 0.0)
    monkeypatch.setattr(loky, "get_reusable_executor", spy)
    assert_same_bits(simulate(workers=2), here)
    nearby = {"f": None, "selection": pt.KeepProbability(lambda m: np.exp(-np.abs(m)))}
    assert_same_bits(simulate(workers=2, **nearby), simulate(workers=1, **nearby))
    # The second call finds the processes of the first.
    assert used[0] is used[1]
    used[0].shutdown(wait=True)


def test_short_work_stays_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loky, "get_reusable_executor", None)
    assert simulate(trials=33).trials == 33


@dataclass(frozen=True)
class Fixed:
    """Always the same student, with a certificate that says how many trials it trained."""

    w: tuple[float, ...]
    name: ClassVar[str] = "fixed"

    def train(self, Z: np.ndarray, rng: np.random.Generator) -> Trained:
        return Trained(np.array(self.w), 0.125, Z.shape[0])


@dataclass(frozen=True)
class Watching:
    """Looks at the number of BLAS threads during each training; some trials are slow, so that pieces overlap."""

    seen: list[int]
    name: ClassVar[str] = "watching"

    def train(self, Z: np.ndarray, rng: np.random.Generator) -> Trained:
        self.seen.append(blas_threads())
        time.sleep(0.001 if threading.get_native_id() % 2 else 0.004)
        return Trained(np.eye(Z.shape[1])[0], 0.0, 1)


def blas_threads() -> int:
    return max(int(library["num_threads"]) for library in threadpool_info() if library["user_api"] == "blas")


needs_two = pytest.mark.skipif("blas_threads() < 2", reason="one BLAS thread to begin with")


@needs_two
def test_threads_share_one_limit_and_lift_it() -> None:
    """One BLAS thread in every trial, also after another thread is done; afterwards as many as before."""
    student, before = Watching([]), blas_threads()
    for _ in range(2):
        with ThreadPoolExecutor(4) as executor:
            simulate(executor=executor, student=student, trials=110)
            assert blas_threads() == before
    assert len(student.seen) == 220
    assert set(student.seen) == {1}


@needs_two
def test_callers_in_threads_share_it_too() -> None:
    student, before = Watching([]), blas_threads()
    callers = [threading.Thread(target=simulate, kwargs={"student": student, "trials": n}) for n in (20, 40, 70)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert len(student.seen) == 130
    assert set(student.seen) == {1}
    assert blas_threads() == before


@needs_two
def test_a_failing_student_lifts_the_limit_too() -> None:
    before = blas_threads()
    with pytest.raises(ValueError, match="2 is different from 20"):
        simulate(student=Fixed((1.0, 0.0)))  # 2 weights for 20 inputs
    assert blas_threads() == before


# What a trial depends on


def test_a_trial_does_not_depend_on_how_many_there_are(here: pt.Simulation) -> None:
    for trials in (1, 5, 17):
        assert_same_bits(simulate(trials=trials), here, trials)


CHANGES: list[dict[str, Any]] = [
    {"seed": 6},
    {"seed": 2**53},
    {"seed": 2**53 + 1},  # the same as the one before in float64
    {"seed": 2**100},
    {"N": 21},
    {"alpha_prune": 2.5},
    {"f": 0.5},
    {"theta": 0.31},
    {"selection": "easy"},
    {"selection": "random"},
    {"selection": pt.Band(0.1)},
    {"selection": pt.Band(0.3)},
    {"selection": pt.KeepProbability(lambda m: np.exp(-np.abs(m))), "f": None},
    {"labels": pt.Labels(flip=0.1)},
    {"labels": pt.Labels(link="probit", slope=1.0)},
]


def test_other_problems_have_other_numbers() -> None:
    """A student that every problem has."""
    here = simulate(student=pt.ConvexLoss("square", 1.0))
    sims = [here, *(simulate(trials=3, student=pt.ConvexLoss("square", 1.0), **change) for change in CHANGES)]
    for name in ("R", "rho", "kappa"):
        values = np.concatenate([getattr(sim, name)[:3] for sim in sims])
        assert np.unique(values).size == values.size


def test_every_problem_size_seed_and_trial_has_its_own_source() -> None:
    """Also problems that differ in one number only, or in the name of the rule."""
    rules: list[Selection] = [pt.Hard(), pt.Easy(), pt.Band(0.0), pt.Random()]
    noise = [
        pt.Labels(),
        pt.Labels(flip=0.1),
        pt.Labels(link="probit", slope=1.0),
        pt.Labels(link="probit", slope=2.0),
        pt.Labels(link="logistic", slope=1.0),
        pt.Labels(flip=0.1, link="logistic", slope=1.0),
    ]
    sources = [
        FiniteProblem(N, P, pool, skipped, theta, rule, pt.GaussianMargins(), labels).seeds(seed, trial)
        for N in (20, 40)
        for P in (10, 12)
        for pool in (30, 40)
        for skipped in (0, 5)
        for theta in (0.1, 0.2)
        for rule in rules
        for labels in noise
        for seed in (0, 1)
        for trial in (0, 1)
    ]
    assert len({tuple(source.generate_state(4)) for source in sources}) == len(sources)


def test_trials_differ_and_are_not_correlated() -> None:
    sim = simulate(trials=400)
    assert np.unique(sim.R).size == 400
    r = np.corrcoef(sim.R[:-1], sim.R[1:])[0, 1]
    assert abs(r) < 4 / math.sqrt(399)  # four standard errors


def test_a_seed_keeps_all_its_digits() -> None:
    for seed in (2**53 + 1, np.int64(2**62 + 1), 2**100 + 1):
        assert simulate(seed=seed, trials=1).seed == int(seed)


# What it reports


def test_realised_numbers_are_reported() -> None:
    sim = simulate(N=21, alpha_prune=2.04, f=0.3, trials=2)
    assert sim.finite == FiniteProblem(21, 43, 143, 0, 0.3, pt.Hard(), sim.problem.margins)
    assert sim.alpha_prune == 43 / 21
    assert sim.f == 43 / 143
    assert (sim.N, sim.trials, sim.theta, sim.student) == (21, 2, 0.3, "max-margin")
    assert float(sim.problem.alpha_prune) == 2.04
    assert math.isnan(simulate(f=None, selection=pt.KeepProbability(lambda m: m < 9), trials=1).f)


def test_a_known_student_is_measured_exactly() -> None:
    """The teacher itself: no error, smallest margin that of the teacher; and the probe."""
    theta = 0.4
    teacher = simulate(theta=theta, student=Fixed((math.cos(theta), math.sin(theta), *np.zeros(18))))
    assert np.abs(teacher.R - 1.0).max() < 1e-15  # cos^2 + sin^2
    assert np.all(teacher.rho == math.cos(theta))
    assert teacher.test_error.max() < 1e-15
    assert teacher.kappa.min() > 0.0
    assert np.all(teacher.gap == 0.125)
    assert np.all(teacher.n_support == 40)
    assert teacher.student == "fixed"
    probe = simulate(theta=theta, student=Fixed((1.0, *np.zeros(19))))
    assert np.abs(probe.test_error - theta / math.pi).max() < 1e-15  # rounding
    # It gets a share theta / pi wrong, and more of the hard ones: of 40 at least one in nearly every trial.
    assert np.mean(probe.kappa < 0.0) > 0.9
    np.testing.assert_array_equal(probe.kappa < 0.0, probe.train_error > 0.0)
    # Neither has a loss, nor a length.
    for sim in (teacher, probe):
        assert np.isnan(sim.train_loss).all()
        assert np.isnan(sim.norm).all()
        assert sim.convex_loss is None


@dataclass(frozen=True)
class Moody:
    """Refuses whenever its first random number is small; the certificate it reached says which one it was."""

    name: ClassVar[str] = "moody"

    def train(self, Z: np.ndarray, rng: np.random.Generator) -> Trained:
        number = float(rng.random())
        if number < 0.3:
            raise UncertifiedError("moody student: not today.", number)
        return Trained(np.eye(Z.shape[1])[0], number, 1)


def test_uncertified_trials_are_nan_and_counted() -> None:
    sim = simulate(student=Moody())
    failed = np.isnan(sim.R)
    assert 0 < sim.failed < sim.trials
    np.testing.assert_array_equal(failed, sim.gap < 0.3)
    assert not np.isnan(sim.gap).any()
    for name in ("test_error", "R", "rho", "kappa", "train_error"):
        np.testing.assert_array_equal(np.isnan(getattr(sim, name)), failed)
    assert np.all(sim.n_support[failed] == 0)
    assert all(math.isnan(x) for x in (*sim.mean, *sim.standard_error))


def test_mean_and_standard_error(here: pt.Simulation) -> None:
    for name in ("test_error", "R", "rho", "kappa"):
        values = getattr(here, name)
        assert getattr(here.mean, name) == values.mean()
        expected = math.sqrt(((values - values.mean()) ** 2).sum() / (70 * 69))
        assert abs(getattr(here.standard_error, name) / expected - 1.0) < 1e-12  # rounding in sums of 70
    assert here.failed == 0
    assert all(math.isnan(x) for x in simulate(trials=1).standard_error)


def test_results_cannot_be_changed(here: pt.Simulation) -> None:
    for name in MEASURED:
        with pytest.raises(ValueError, match="read-only"):
            getattr(here, name)[0] = 0.0


# Whole numbers


def test_products_that_round_to_below_one_example() -> None:
    """(1 / 49) * 49 is 1 - 1e-16: one example."""
    for N in range(2, 200):
        assert FiniteProblem.of(Problem.of(1.0 / N, 1.0, 0.0), N).P == 1


def test_the_advised_size_is_the_smallest() -> None:
    for alpha in np.random.default_rng(0).uniform(0.001, 0.09, 200):
        problem = Problem.of(alpha, 1.0, 0.0)
        with pytest.raises(pt.InvalidInputError, match="no example would be kept") as error:
            FiniteProblem.of(problem, 2)
        advised = int(str(error.value).split("take N of at least ")[1].rstrip("."))
        assert FiniteProblem.of(problem, advised).P == 1
        with pytest.raises(pt.InvalidInputError, match="no example would be kept"):
            FiniteProblem.of(problem, advised - 1)


@pytest.mark.parametrize("rule", ["hard", "easy", "random", pt.Band(0.0), pt.Band(0.37), pt.Band(0.7)])
def test_ranks_lie_in_the_pool_and_theory_can_follow(rule: str | pt.Band) -> None:
    """Whatever is rounded: P of the pool from the right ranks, at an f that the theory takes."""
    largest = 1.0 - rule.lower if isinstance(rule, pt.Band) else 1.0
    rng = np.random.default_rng(1)
    for _ in range(300):
        alpha, N = float(rng.uniform(1.0, 5.0)), int(rng.integers(20, 400))
        f = largest * float(rng.choice([1.0, 0.999, rng.uniform(0.05, 1.0), 10.0 ** rng.uniform(-9, -1)]))
        finite = FiniteProblem.of(Problem.of(alpha, f, 0.1, rule), N)
        assert abs(finite.P - alpha * N) <= 0.5
        assert 0 <= finite.skipped <= finite.pool - finite.P
        assert abs(finite.pool - finite.P / f) <= 1.0
        low = {"easy": 1.0 - finite.f}.get(str(rule), 0.0) if isinstance(rule, str) else rule.lower
        assert abs(finite.skipped - low * finite.pool) <= 1.0
        Problem.of(finite.alpha_prune, finite.f, 0.1, rule)  # raises if the rule cannot keep that much


def test_easy_keeps_the_last_ranks_of_the_largest_pools() -> None:
    """Where 1 - f has lost the digits that would say so."""
    for f in np.random.default_rng(2).uniform(2.3e-14, 1e-13, 50):
        easy = FiniteProblem.of(Problem.of(2.0, f, 0.1, "easy"), 100)
        assert easy.skipped == easy.pool - easy.P


# Bad input


class Lookalike:
    """Has a name but cannot train."""

    name = "lookalike"


BAD_CALLS: list[tuple[dict[str, Any], list[str]]] = [
    ({"N": 1}, ["N must be a whole number of at least 2", "got 1", "number of inputs"]),
    ({"N": 0}, ["N must", "got 0"]),
    ({"N": 2.5}, ["N must be a whole number", "got 2.5"]),
    ({"N": np.nan}, ["N must be a whole number", "nan"]),
    ({"N": "many"}, ["N must be a real number", "'many'"]),
    ({"N": [20, 40]}, ["N must be one number", "(2,)"]),
    ({"N": 8, "alpha_prune": 0.1}, ["alpha_prune * N must be at least 1", "0.1 * 8 = 0.8", "N of at least 10"]),
    ({"N": 2, "alpha_prune": 0.7}, ["alpha_prune = 0.7", "N = 2", "give 0.5", "10 %", "larger N"]),
    ({"N": 2, "alpha_prune": 1.0, "f": 0.8}, ["f = 0.8", "N = 2", "take a larger N, or ask for f ="]),
    ({"alpha_prune": [2.0, 3.0]}, ["one problem", "(2,)", "simulate_sweep"]),
    ({"alpha_prune": [2.0]}, ["one problem", "(1,)", "simulate_sweep"]),
    ({"theta": [0.1, 0.2]}, ["one problem", "(2,)", "simulate_sweep"]),
    ({"f": 1e-300}, ["pool must have fewer than 9e+15", "4e+301", "larger f"]),
    ({"f": 5e-324}, ["alpha_prune / f must be finite", "2 / 4.94066e-324"]),
    ({"alpha_prune": 1e300, "N": 1e10}, ["pool must have fewer than", "smaller alpha_prune or N"]),
    ({"alpha_prune": 1e300, "f": None, "selection": pt.KeepProbability(np.ones_like)}, ["fewer than", "2e+301"]),
    ({"f": None}, ["f is required", "'hard'"]),
    ({"f": 1.5}, ["f must lie in (0, 1]", "1.5"]),
    ({"theta": 20.0}, ["theta", "20", "deg2rad"]),
    ({"selection": "hardest"}, ["'hardest'", "'hard'"]),
    ({"selection": pt.Band(0.7)}, ["f must be at most 0.3", "0.4"]),
    ({"trials": 0}, ["trials must be a whole number of at least 1", "got 0", "repetitions"]),
    ({"trials": 2.5}, ["trials must", "2.5"]),
    ({"trials": None}, ["trials must", "None"]),
    ({"seed": -1}, ["seed must be a whole number of at least 0", "got -1", "random numbers"]),
    ({"seed": 0.5}, ["seed must", "0.5"]),
    ({"seed": None}, ["seed must", "None"]),
    ({"seed": True}, ["seed must", "True"]),
    ({"student": "svm"}, ["unknown student 'svm'", "'max-margin'", "ConvexLoss(loss, lam)", "'gibbs'"]),
    ({"student": None}, ["unknown student None", "'max-margin'"]),
    ({"student": Lookalike()}, ["unknown student", "Lookalike", "'max-margin'"]),
    ({"student": pt.ConvexLoss}, ["the class ConvexLoss", "call it"]),
    ({"student": pt.ConvexLoss("hinge", "optimal")}, ["a number in a simulation", "'optimal'"]),
    ({"student": pt.ConvexLoss("square", [0.1, 0.2])}, ["one number in a simulation", "(2,)"]),
    ({"labels": 0.1}, ["labels must be Labels(...)", "0.1"]),
    (
        {"labels": pt.Labels(flip=0.1), "margins": pt.MeasuredMargins([0.5, 1.0], signed=True)},
        ["labels must be left out with signed margins", "signed=False"],
    ),
    ({"student": pt.MaxMargin}, ["the class MaxMargin", "call it"]),
    ({"workers": 0}, ["workers must be a whole number of at least 1", "got 0", "processes"]),
    ({"workers": -2}, ["workers must", "-2"]),
    ({"workers": 1.5}, ["workers must", "1.5"]),
]


@pytest.mark.parametrize(("change", "parts"), BAD_CALLS)
def test_simulate_refuses(change: dict[str, Any], parts: list[str]) -> None:
    with pytest.raises(pt.InvalidInputError) as error:
        simulate(**change)
    message = str(error.value)
    assert "\n" not in message
    for part in parts:
        assert part in message


class Client:
    """Stands for a dask client: it has an executor, but is none."""

    def get_executor(self) -> None:
        raise AssertionError


@pytest.mark.parametrize(
    ("executor", "name"), [("processes", "str"), (Client(), "Client"), (ThreadPoolExecutor, "type"), (4, "int")]
)
def test_what_is_no_executor_is_refused(executor: Any, name: str) -> None:
    with pytest.raises(pt.ExecutorError, match=rf"concurrent.futures.Executor, got {name}.*client.get_executor\(\)"):
        simulate(executor=executor)


def test_an_executor_has_its_own_workers() -> None:
    with ThreadPoolExecutor(1) as executor, pytest.raises(pt.ExecutorError, match=r"workers must be left out.*got 2"):
        simulate(executor=executor, workers=2)


class Closed(Executor):
    """Refuses in its own words, as a closed dask client does."""

    def submit(self, *_: Any, **__: Any) -> Any:
        raise OSError("no scheduler")


def test_closed_executors_are_named() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()
    with pytest.raises(pt.ExecutorError, match=r"ThreadPoolExecutor takes no work \(cannot schedule.*not been shut"):
        simulate(executor=executor)
    with pytest.raises(pt.ExecutorError, match=r"Closed takes no work \(no scheduler\)"):
        simulate(executor=Closed())


def test_errors_of_a_student_are_not_blamed_on_the_executor() -> None:
    """Also those that sound like pickling."""
    with ThreadPoolExecutor(1) as executor:
        for error in (TypeError("unknown locale"), AttributeError("no local minimum"), RuntimeError("no")):
            with pytest.raises(type(error), match=str(error)):
                simulate(executor=executor, student=Raising(error))


@dataclass(frozen=True)
class Raising:
    error: Exception
    name: ClassVar[str] = "raising"

    def train(self, Z: np.ndarray, rng: np.random.Generator) -> Trained:
        raise self.error


@dataclass(frozen=True)
class Dying:
    """Ends its process, as the kernel does when memory is short."""

    name: ClassVar[str] = "dying"

    def train(self, Z: np.ndarray, rng: np.random.Generator) -> Trained:
        import os

        os._exit(3)


def test_processes_that_cannot_be_sent_the_work_or_die() -> None:
    aware = pt.KeepProbability(lambda m: m < 1.0, breakpoints=[1.0])
    with spawning(1) as executor:
        with pytest.raises(pt.ExecutorError, match=r"ProcessPoolExecutor cannot send.*lambda.*top level of a module"):
            simulate(executor=executor, f=None, selection=aware)
        with pytest.raises(pt.ExecutorError, match=r"ProcessPoolExecutor broke.*worker died.*fewer workers"):
            simulate(executor=executor, student=Dying())
        with pytest.raises(pt.ExecutorError, match=r"ProcessPoolExecutor takes no work"):
            simulate(executor=executor)


def test_nothing_is_left_to_warn_about(here: pt.Simulation) -> None:
    """Threads, processes and their pipes are closed by whoever opened them."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for _ in range(2):
            with ThreadPoolExecutor(2) as executor:
                simulate(executor=executor)
        assert_same_bits(simulate(), here)


def test_numbers_in_the_readme() -> None:
    """What the README prints, to the digits it prints."""
    sim = pt.simulate(N=200, alpha_prune=3.0, f=0.3, theta=np.deg2rad(10), selection="hard", trials=100, seed=0)
    text = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    assert f"# {sim.mean.test_error:.4f} +- {sim.standard_error.test_error:.4f}" in text
