// node validate.mjs URL FILE... holds the files that the server at URL has, such as
// /openapi.yaml, against what their makers publish, and prints each fault on a line.
import { validate } from '@hyperjump/json-schema/openapi-3-1';
import '@hyperjump/json-schema/openapi-3-0';
import { BASIC } from '@hyperjump/json-schema/experimental';
import { createConfig, lintFromString, parseYaml } from '@redocly/openapi-core';
import { Parser } from '@asyncapi/parser';
import { readFileSync } from 'node:fs';

const [base, ...files] = process.argv.slice(2);

async function get(path) {
  const answer = await fetch(base + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}

// The JSON Schema of OpenAPI by the OpenAPI Initiative: of 3.1 with the dialect of the
// schemas within, of 3.0 it is one.
const schemas = { 3.1: 'https://spec.openapis.org/oas/3.1/schema-base', '3.0': 'https://spec.openapis.org/oas/3.0/schema' };

async function againstSchema(version, text) {
  const output = await validate(schemas[version], parseYaml(text), BASIC);
  if (output.valid) return [];
  return output.errors.map((e) => `${e.instanceLocation} breaks ${e.absoluteKeywordLocation}`);
}

async function linted(text) {
  const config = await createConfig(readFileSync(new URL('redocly.yaml', import.meta.url), 'utf8'));
  const problems = await lintFromString({ source: text, absoluteRef: base + '/openapi.yaml', config });
  return problems.map((p) => `${p.ruleId}: ${p.message} at ${p.location[0]?.pointer}`);
}

// AsyncAPI's parser gets the text alone, as a user has it who downloaded the file.
async function parsed(text) {
  const parser = new Parser();
  const diagnostics = await parser.validate(text);
  return diagnostics.filter((d) => d.severity <= 1).map((d) => `${d.code}: ${d.message} at #/${d.path.join('/')}`);
}

const checks = {
  '/openapi.yaml': { 'openapi schema': (text) => againstSchema('3.1', text), 'openapi lint': linted },
  '/openapi-3.0.json': { 'openapi 3.0 schema': (text) => againstSchema('3.0', text), 'openapi 3.0 lint': linted },
  '/asyncapi.yaml': { asyncapi: parsed },
};
for (const file of files) {
  const text = await get(file);
  for (const [name, check] of Object.entries(checks[file])) {
    const faults = await check(text).catch((e) => [e.message.split('\n')[0]]); // what is not YAML is thrown
    for (const fault of faults) console.log(`${name}: ${fault}`);
    console.log(`${name}: ${faults.length} faults`);
  }
}
