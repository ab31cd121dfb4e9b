#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What an independent validator says of manifests: schema-judge.py SCHEMA FILE...

YAML is read by ruamel.yaml as YAML 1.2, and held against the schema by jsonschema (draft 2020-12). A FILE that ends in .txt is a book: many
manifests, each behind a line `#### name`. One line each: `accepted NAME`, or `rejected NAME: WHY`; the schema itself comes first.
Exit 3: the libraries are not installed, and on standard error which.
"""
import json
import sys

try:
    from jsonschema import Draft202012Validator
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError
except ImportError as missing:
    print(missing, file=sys.stderr)
    sys.exit(3)


def manifests(path):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    if not path.endswith(".txt"):
        yield path, text
        return
    for part in text.split("#### ")[1:]:
        name, _, body = part.partition("\n")
        yield name, body


def named(value):
    """Keys of a map are text in JSON, whatever YAML makes of them."""
    if isinstance(value, dict):
        return {key if isinstance(key, str) else json.dumps(key): named(inner) for key, inner in value.items()}
    return [named(inner) for inner in value] if isinstance(value, list) else value


def verdict(validator, text):
    try:
        value = named(YAML(typ="safe", pure=True).load(text))
    except YAMLError as error:
        return f"no YAML: {' '.join(str(error).split())}"
    flaws = sorted(validator.iter_errors(value), key=lambda flaw: list(map(str, flaw.absolute_path)))
    return "; ".join(f"{flaw.json_path} {' '.join(flaw.message.split())[:120]}" for flaw in flaws)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        schema = json.load(file)
    Draft202012Validator.check_schema(schema)
    print(f"accepted {sys.argv[1]}")
    validator = Draft202012Validator(schema)
    for path in sys.argv[2:]:
        for name, text in manifests(path):
            why = verdict(validator, text)
            print(f"rejected {name}: {why}" if why else f"accepted {name}")


main()
