"""The infrastructure template as tests take it apart, and its deployment to the services of this machine.

moto makes key, buckets, roles and policies of it. What moto's CloudFormation does not know (Glue, Athena, Secrets
Manager, bucket policies) is made of the template's own properties by those services' own operations, whose members
have the same names.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import boto3
import yaml
from moto.cloudformation.utils import yaml_tag_constructor

AWS = Path(__file__).parents[1] / "deployments" / "aws"
TEMPLATE = AWS / "foundation.yaml"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's short functions."""


_Loader.add_multi_constructor("", yaml_tag_constructor)
FOUNDATION = yaml.load(TEMPLATE.read_text(), _Loader)  # noqa: S506 - a safe loader with tags that only nest values
RESOURCES = FOUNDATION["Resources"]

UNKNOWN_TO_MOTO = {
    name
    for name, resource in RESOURCES.items()
    if resource["Type"].split("::")[1] in {"Glue", "Athena", "SecretsManager"} or resource["Type"].endswith("Policy")
} - {"WorkerPolicy"}


def properties(name: str) -> dict[str, Any]:
    """Return the properties of a resource, as written."""
    found: dict[str, Any] = RESOURCES[name]["Properties"]
    return found


def deploy_to_moto() -> dict[str, str]:
    """Make what moto can of the template and return the outputs; stand-ins in place of what it cannot."""
    template = {
        **FOUNDATION,
        "Resources": {name: _for_moto(each) for name, each in RESOURCES.items() if name not in UNKNOWN_TO_MOTO},
        "Outputs": _for_moto(FOUNDATION["Outputs"]),
    }
    client = boto3.client("cloudformation")
    client.create_stack(StackName="ade", TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"])
    [stack] = client.describe_stacks(StackName="ade")["Stacks"]
    assert stack["StackStatus"] == "CREATE_COMPLETE"
    return {output["OutputKey"]: output["OutputValue"] for output in stack["Outputs"]}


def deploy() -> dict[str, str]:
    """Make all of the template but the bucket policies, and return its outputs."""
    made_by_moto = deploy_to_moto()
    listed = boto3.client("cloudformation").describe_stack_resources(StackName="ade")["StackResources"]
    names = _Names({each["LogicalResourceId"]: each["PhysicalResourceId"] for each in listed})
    names.attributes["Key.Arn"] = made_by_moto["KmsKey"]
    glue = boto3.client("glue")

    database = names.resolved(properties("GlueDatabase"))
    glue.create_database(**database)
    names.physical["GlueDatabase"] = database["DatabaseInput"]["Name"]

    crawler = names.resolved(properties("Crawler"))
    glue.create_crawler(**crawler)
    names.physical["Crawler"] = crawler["Name"]

    group = names.resolved(properties("Workgroup"))
    boto3.client("athena").create_work_group(
        Name=group["Name"], Configuration=group["WorkGroupConfiguration"], Tags=group.get("Tags", [])
    )
    names.physical["Workgroup"] = group["Name"]

    secret, secrets = names.resolved(properties("IdentityKey")), boto3.client("secretsmanager")
    password = secrets.get_random_password(**secret.pop("GenerateSecretString"))["RandomPassword"]
    names.physical["IdentityKey"] = secrets.create_secret(Name="ade-identity", SecretString=password, **secret)["ARN"]

    return {name: names.resolved(output["Value"]) for name, output in FOUNDATION["Outputs"].items()}


class _Names:
    """What the template's references stand for."""

    def __init__(self, physical: dict[str, str]) -> None:
        defaults = {name: str(each["Default"]) for name, each in FOUNDATION["Parameters"].items()}
        account, region = boto3.client("sts").get_caller_identity()["Account"], boto3.Session().region_name
        pseudo = {"AWS::AccountId": account, "AWS::Region": region, "AWS::Partition": "aws"}
        self.physical = {**defaults, **pseudo, **physical}
        self.attributes: dict[str, str] = {}

    def resolved(self, node: Any) -> Any:
        match node:
            case {"Ref": name}:
                # Numbers are written as text, and one of these operations wants a number.
                found = self.physical[name]
                return int(found) if FOUNDATION["Parameters"].get(name, {}).get("Type") == "Number" else found
            case {"Fn::GetAtt": [name, "Arn"]}:
                return self._arn(name)
            case {"Fn::Sub": text}:
                return re.sub(r"\$\{([^}]+)\}", lambda found: self._named(found[1]), text)
            case dict():
                # The one condition is off by default.
                return {key: self.resolved(value) for key, value in node.items() if not _is_choice(value)}
            case list():
                return [self.resolved(value) for value in node]
        return node

    def _named(self, name: str) -> str:
        return self._arn(name.removesuffix(".Arn")) if name.endswith(".Arn") else self.physical[name]

    def _arn(self, name: str) -> str:
        if f"{name}.Arn" not in self.attributes:
            kind, physical = RESOURCES[name]["Type"], self.physical[name]
            found = boto3.client("iam").get_role(RoleName=physical)["Role"]["Arn"] if kind == "AWS::IAM::Role" else ""
            self.attributes[f"{name}.Arn"] = found or f"arn:aws:s3:::{physical}"
        return self.attributes[f"{name}.Arn"]


def _for_moto(node: Any) -> Any:
    """Return a part of the template with a stand-in for every reference to what moto cannot make."""
    match node:
        case {"Ref": name} | {"Fn::GetAtt": [name, *_]} if name in UNKNOWN_TO_MOTO:
            return f"arn:aws:stand-in:::{name}"
        case {"Fn::Sub": text}:
            for name in UNKNOWN_TO_MOTO:
                text = text.replace(f"${{{name}}}", name)
            return {"Fn::Sub": text}
        case dict():
            return {key: _for_moto(value) for key, value in node.items()}
        case list():
            return [_for_moto(value) for value in node]
    return node


def _is_choice(node: Any) -> bool:
    return isinstance(node, dict) and "Fn::If" in node
