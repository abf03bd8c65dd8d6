"""Small jobs share a cluster's job: the groups that the rules name, in the rules alone and as documented."""

from __future__ import annotations

import re

import yaml


def groups_of_rules(root) -> dict[str, set[str]]:
    """Group to its rules, as the rules say; of those that are made for each run, the beginning of their names."""
    groups: dict[str, set[str]] = {}
    for path in (root / "workflow/rules").glob("*.smk"):
        for rule in re.split(r"(?m)^(?= *rule\b)", path.read_text(encoding="utf-8"))[1:]:
            group = re.search(r"^ +group:\n +\"(\w+)\"$", rule, re.MULTILINE)
            if group:
                name = re.match(r"rule (\w+)", rule) or re.search(r"name:\n +f\"(\w+?)_\{", rule)
                groups.setdefault(group[1], set()).add(name[1])
    return groups


def test_the_documented_groups_are_those_of_the_rules(root):
    page = (root / "docs/cluster.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(cohort|model|evidence|manuscript)` \| (.*?) \|", page, re.MULTILINE)
    assert {group: set(re.findall(r"`(\w+)`", rules)) for group, rules in rows} == groups_of_rules(root)


def test_no_profile_names_a_rule_but_for_its_threads(root):
    """A group's jobs run on one core, and only the crate reads files with more than one."""
    for name in ("slurm", "kubernetes", "cluster-generic"):
        profile = yaml.safe_load((root / f"profiles/{name}/config.yaml").read_text(encoding="utf-8"))
        assert not {"groups", "set-resources"} & set(profile)
        assert (profile["cores"], profile["set-threads"]) == (1, ["crate=1"])
