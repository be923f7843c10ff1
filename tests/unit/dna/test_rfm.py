import pytest
from hypothesis import given
from hypothesis import strategies as st

from brandmind.dna.facts import CustomerFact
from brandmind.dna.rfm import GROUPS, PROSPECTS, agreement, group_of, members, rfm, scored, scores

DAY = 86_400_000


def person(gid, *, ago=0, orders=1, net=1000):
    return CustomerFact(gid, 0, (1000 - ago) * DAY, orders, net, orders, orders)


@pytest.mark.parametrize(
    ("values", "lower", "higher"),
    [
        ([], [], []),
        ([7], [3], [3]),
        ([7, 7, 7], [3, 3, 3], [3, 3, 3]),
        # 1 + 5 * (0, 1/4, 2/4, 3/4, 4/4), cut off at whole numbers and at 5.
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [1, 2, 3, 4, 5]),
        ([1, 1, 1, 1, 2], [1, 1, 1, 1, 5], [4, 4, 4, 4, 5]),
        ([1, 2, 2, 2, 2], [1, 2, 2, 2, 2], [1, 5, 5, 5, 5]),
        # Ranks 0..5 of 5: 1 + 0, 1, 2, 3, 4, 5.
        ([6, 5, 4, 3, 2, 1], [5, 5, 4, 3, 2, 1], [5, 5, 4, 3, 2, 1]),
    ],
)
def test_scores_are_ranks_and_equals_are_equal(values, lower, higher):
    assert scores(values, ties="lower") == lower
    assert scores(values, ties="higher") == higher


@pytest.mark.parametrize(
    ("recency", "groups"),
    [
        (5, "NEW ACTIVE ACTIVE CHAMPIONS CHAMPIONS"),
        (4, "PROMISING ACTIVE ACTIVE LOYAL LOYAL"),
        (3, "ALMOST_LOST ALMOST_LOST NEEDS_ATTENTION LOYAL LOYAL"),
        (2, "DORMANT DORMANT AT_RISK AT_RISK PREVIOUSLY_LOYAL"),
        (1, "DORMANT DORMANT AT_RISK AT_RISK PREVIOUSLY_LOYAL"),
    ],
)
def test_all_25_cells_have_their_group(recency, groups):
    assert [group_of(recency, fm) for fm in range(1, 6)] == groups.split()


def test_frequency_and_money_are_averaged_half_up():
    people = [person(n, ago=n, orders=n, net=1000 * (6 - n)) for n in range(1, 6)]
    # F 1..5 and M 5..1: (1 + 5) / 2 = 3 throughout.
    assert [one.fm for one in scored(people)] == [3] * 5
    assert [one.recency for one in scored(people)] == [5, 4, 3, 2, 1]


def test_one_time_buyers_are_never_split():
    people = [person(n, ago=n) for n in range(80)] + [
        person(n, ago=n, orders=n) for n in range(80, 100)
    ]
    once = {one.frequency for one in scored(people) if one.gid < 80}
    assert once == {1}


def test_groups_hold_everybody_once_and_prospects_apart():
    people = [person(n, ago=3 * n, orders=1 + n % 4, net=100 * n) for n in range(60)]
    found = rfm(people, prospects=7, as_of_ms=1000 * DAY)
    assert [group.group for group in found.groups] == list(GROUPS)
    assert sum(group.customers for group in found.groups) == 67
    assert found.groups[-1].customers == 7
    assert found.groups[-1].days_since is None
    assert sum(group.net_minor for group in found.groups) == sum(one.net_minor for one in people)


def test_the_middle_of_days_is_counted_back_from_the_day_of_the_portrait():
    people = [person(n, ago=n) for n in range(1, 61)]
    found = rfm(people, prospects=0, as_of_ms=1000 * DAY)
    # All spent alike and once: F = M = 3, so the most recent are active and the last at risk.
    by_group = {group.group: group for group in found.groups}
    assert (
        by_group["ACTIVE"].customers
        + by_group["NEEDS_ATTENTION"].customers
        + by_group["AT_RISK"].customers
        == 60
    )
    assert by_group["ACTIVE"].days_since == 12


def test_groups_are_held_against_those_the_shop_has_told():
    # F and M of all are 3: by recency 5, 4, 3, 2, 1 they are active, active, in need of attention,
    # at risk and at risk.
    people = [person(n, ago=n) for n in range(1, 6)]
    told = ["ACTIVE", "LOYAL", None, "AT_RISK", "DORMANT"]
    people = [one._replace(shops_group=group) for one, group in zip(people, told, strict=True)]
    assert agreement(people, scored(people)) == (4, 2)
    assert agreement([], []) == (0, 0)


def test_who_never_ordered_is_compared_with_nobody():
    nobody = person(9, orders=0)._replace(shops_group="PROSPECTS")
    assert agreement([nobody], scored([nobody])) == (0, 0)


def test_few_customers_and_a_young_shop_have_no_groups():
    assert rfm([person(n, ago=n) for n in range(49)], prospects=0, as_of_ms=0).reason == "few"
    young = [person(n, ago=n % 30) for n in range(100)]
    assert rfm(young, prospects=0, as_of_ms=0).reason == "recent"
    assert rfm(young, prospects=0, as_of_ms=0).groups == ()


@given(st.lists(st.tuples(st.integers(0, 900), st.integers(1, 9), st.integers(0, 99)), min_size=1))
def test_people_who_are_alike_are_in_one_group(rows):
    people = [person(n, ago=a, orders=o, net=m) for n, (a, o, m) in enumerate(rows)]
    groups = {}
    for one, row in zip(scored(people), rows, strict=True):
        assert groups.setdefault(row, one.group) == one.group
        assert min(one.recency, one.frequency, one.monetary) >= 1
        assert max(one.recency, one.frequency, one.monetary) <= 5


@given(st.lists(st.integers(0, 50), min_size=2), st.randoms())
def test_more_is_never_scored_lower_and_no_order_matters(values, dice):
    found = dict(zip(values, scores(values, ties="lower"), strict=True))
    ordered = sorted(found)
    assert [found[v] for v in ordered] == sorted(found[v] for v in ordered)
    shuffled = values[:]
    dice.shuffle(shuffled)
    assert dict(zip(shuffled, scores(shuffled, ties="lower"), strict=True)) == found


def test_everybody_is_in_one_group_and_those_who_spent_most_come_first():
    people = [
        person(gid, ago=gid % 90, orders=1 + gid % 4, net=100 * (gid % 7)) for gid in range(1, 99)
    ]
    known = scored(people)
    found = members(people[::-1], [203, 201], known=known)
    assert found == members(people, [201, 203])
    assert set(found) == {one.group for one in known} | {PROSPECTS}
    of = {one.gid: one.group for one in known}
    for group, some in found.items():
        assert [one.gid for one in some] == [
            one.gid for one in sorted(some, key=lambda one: (-one.net_minor, one.gid))
        ]
        assert {of.get(one.gid, PROSPECTS) for one in some} == {group}
    assert sum(map(len, found.values())) == 100
    assert [one.gid for one in found[PROSPECTS]] == [201, 203]


def test_nobody_is_in_no_group():
    assert members([], []) == {}
