#!/usr/bin/env python3
"""Hold pipelines against the JSON Schema.

validate.py SCHEMA CASES FILE...: a line for each case of CASES, then for each
FILE: what the checker says of it (ok or not), what the schema says, and whether
they have to agree.  Exit status 2 where Debian's python3-yaml and
python3-jsonschema are missing.
"""
import json
import re
import sys

sys.path.append('/usr/lib/python3/dist-packages')
try:
    import jsonschema
    import yaml
except ImportError as missing:
    print(missing)
    sys.exit(2)


def says(validator, text):
    try:
        document = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError):
        return 'refused'
    return 'ok' if validator.is_valid(document) else 'refused'


def cases(path):
    for part in ('\n' + open(path, encoding='utf-8').read()).split('\n### ')[1:]:
        answer, _, text = part.partition('\n')
        yield answer, text


def main():
    schema_path, cases_path, *files = sys.argv[1:]
    schema = json.load(open(schema_path, encoding='utf-8'))
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    for answer, text in cases(cases_path):
        checker = 'ok' if re.match(r'~?ok$', answer) else 'refused'
        print(checker, says(validator, text), 'may differ' if answer.startswith('~') else 'agree',
              answer, sep='\t')
    for path in files:
        print('ok', says(validator, open(path, encoding='utf-8').read()), 'agree', path, sep='\t')


main()
