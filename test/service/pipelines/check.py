"""Argo's YAML by hera, which knows its objects, and JUnit XML by junitparser and the schemas of its readers.

Usage: check.py argo FILE | junit FILE JENKINS.xsd
"""

import json
import re
import sys

import yaml
from hera.workflows import WorkflowTemplate
from junitparser import JUnitXml
from lxml import etree

what, path, *schema = sys.argv[1:]


def ant(suite):
    """What the schema of Ant asks for beside that of Jenkins (windyroad/JUnit-Schema, JUnit.xsd): its attributes, their types, the order of elements."""
    wrong = []
    for name, pattern in {
        "name": r".+",
        "timestamp": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d",
        "hostname": r".+",
        "time": r"\d+(\.\d+)?",
        **{count: r"\d+" for count in ["tests", "failures", "errors", "skipped"]},
    }.items():
        if not re.fullmatch(pattern, suite.get(name, "")):
            wrong.append(f"testsuite: {name} {suite.get(name)!r}")
    names = [one.tag for one in suite]
    if not re.fullmatch(r"properties( testcase)* system-out system-err", " ".join(names)):
        wrong.append(f"testsuite: {names}")
    for case in suite.iter("testcase"):
        if not (case.get("name") and case.get("classname") and re.fullmatch(r"\d+(\.\d+)?", case.get("time", ""))):
            wrong.append(f"testcase: {dict(case.attrib)}")
        if len(case) > 1 or any(one.tag in ("failure", "error") and not one.get("type") for one in case):
            wrong.append(f"testcase {case.get('name')}: {[one.tag for one in case]}")
    return wrong


if what == "argo":
    # unknown fields would be dropped without a word: what comes back has to be what was there
    given = yaml.safe_load(open(path))
    back = yaml.safe_load(WorkflowTemplate.from_dict(given).to_yaml())
    print(json.dumps({"given": given, "back": back}))
else:
    document = etree.parse(path)
    jenkins = etree.XMLSchema(file=schema[0])
    jenkins.validate(document)
    suites = JUnitXml.fromfile(path)
    (suite,) = suites
    cases = [[case.classname, case.name, [type(result).__name__ for result in case.result]] for case in suite]
    counts = {name: getattr(suite, name) for name in ["tests", "failures", "errors", "skipped"]}
    invalid = [f"line {one.line}: {one.message}" for one in jenkins.error_log]
    print(json.dumps({**counts, "cases": cases, "invalid": invalid, "ant": ant(document.getroot())}))
