"""Argo's YAML by hera, which knows its objects, and JUnit XML by junitparser. Usage: check.py argo FILE | junit FILE"""

import json
import sys

import yaml
from hera.workflows import WorkflowTemplate
from junitparser import JUnitXml

what, path = sys.argv[1:]
if what == "argo":
    # unknown fields would be dropped without a word: what comes back has to be what was there
    given = yaml.safe_load(open(path))
    back = yaml.safe_load(WorkflowTemplate.from_dict(given).to_yaml())
    print(json.dumps({"given": given, "back": back}))
else:
    suites = JUnitXml.fromfile(path)
    (suite,) = suites
    cases = [[case.classname, case.name, [type(result).__name__ for result in case.result]] for case in suite]
    print(json.dumps({"tests": suite.tests, "failures": suite.failures, "errors": suite.errors, "skipped": suite.skipped, "cases": cases}))
