"""Checks alerts in OCSF, one per line on standard input, with the schema that the package ocsf-json-schema makes of OCSF's own.

It fails if an alert breaks the schema, if there are too few alerts to say anything, or if it would pass a wrong one.
"""

import collections
import copy
import json
import sys

import jsonschema
from ocsf_json_schema import OcsfJsonSchemaEmbedded, get_ocsf_schema

LEAST = 100  # alerts


def validator(schemas, alert):
    """Return what judges alerts of this class and these profiles."""
    meta = alert["metadata"]
    version, profiles = meta["version"], tuple(meta.get("profiles", []))
    key = (version, alert["class_uid"], profiles)
    if key not in schemas:
        ocsf = OcsfJsonSchemaEmbedded(get_ocsf_schema(version=version))
        name = ocsf.lookup_class_name_from_uid(alert["class_uid"])
        schemas[key] = jsonschema.Draft202012Validator(ocsf.get_class_schema(name, list(profiles)))
    return schemas[key]


def mistakes(schemas, alert):
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(schemas, alert).iter_errors(alert)]


def damaged(alert):
    """Return three wrong variants of an alert."""
    for change in (
        lambda a: a.pop("finding_info"),
        lambda a: a.update(severity_id="high"),
        lambda a: a.update(not_in_the_schema=1),
    ):
        wrong = copy.deepcopy(alert)
        change(wrong)
        yield wrong


def main():
    schemas, found, count, last = {}, collections.Counter(), 0, None
    for line in sys.stdin:
        last, count = json.loads(line), count + 1
        found.update(mistakes(schemas, last))
    for text, times in found.most_common(20):
        print(f"{times} alerts: {text}")
    if count < LEAST:
        sys.exit(f"{count} alerts; at least {LEAST} are needed")
    if not all(mistakes(schemas, wrong) for wrong in damaged(last)):
        sys.exit("the schema accepts an alert that was made wrong")
    print(f"{count} alerts checked, {sum(found.values())} mistakes")
    sys.exit(1 if found else 0)


main()
