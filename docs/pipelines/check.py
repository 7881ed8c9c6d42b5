"""Check the CloudFormation templates and the Security Hub function of the documents with AWS's own models.

python3 -m venv /tmp/venv && /tmp/venv/bin/pip install -r requirements.txt && /tmp/venv/bin/python check.py
"""

import base64, json, os, pathlib, re, subprocess, sys, tempfile
from unittest import mock

docs = pathlib.Path(__file__).parent.parent


def blocks(page, info):
    return re.findall(rf"^```{info}\n(.*?)^```", (docs / page).read_text(), re.M | re.S)


def cloudformation():
    templates = blocks("input.md", "yaml cloudformation")
    assert len(templates) == 2, len(templates)
    with tempfile.TemporaryDirectory() as folder:
        for i, template in enumerate(templates):
            pathlib.Path(folder, f"{i}.yaml").write_text(template)
        subprocess.run([pathlib.Path(sys.executable).with_name("cfn-lint"), "--regions", "us-east-1", "--", *pathlib.Path(folder).glob("*.yaml")], check=True)


def security_hub():
    import boto3
    from botocore.stub import Stubber

    os.environ |= {"ACCOUNT": "123456789012", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x"}
    (source,) = blocks("output.md", "python security-hub")
    alert = blocks("alerts.md", "json")[0]
    names = {}
    exec(source, names)
    hub = boto3.client("securityhub", region_name="us-east-1")
    event = {"records": {"cloudtrail-alerts-0": [{"value": base64.b64encode(alert.encode()).decode()}]}}
    with Stubber(hub) as stub, mock.patch("boto3.client", return_value=hub):
        stub.add_response("batch_import_findings", {"FailedCount": 0, "SuccessCount": 1})  # the request is checked against the model
        names["handler"](event, None)
        stub.assert_no_pending_responses()
        stub.add_response("batch_import_findings", {"FailedCount": 1, "SuccessCount": 0})
        try:
            names["handler"](event, None)
            sys.exit("a finding that fails is not tried again")
        except RuntimeError:
            pass


cloudformation()
security_hub()
print("ok")
