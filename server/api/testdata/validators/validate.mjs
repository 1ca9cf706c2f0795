// node validate.mjs URL holds /openapi.yaml and /asyncapi.yaml of the server at URL
// against what their makers publish, and prints each fault on a line.
import { validate } from '@hyperjump/json-schema/openapi-3-1';
import { BASIC } from '@hyperjump/json-schema/experimental';
import { createConfig, lintFromString, parseYaml } from '@redocly/openapi-core';
import { Parser } from '@asyncapi/parser';
import { readFileSync } from 'node:fs';

const base = process.argv[2];

async function get(path) {
  const answer = await fetch(base + path);
  if (!answer.ok) throw new Error(`${path}: ${answer.status}`);
  return answer.text();
}

// The JSON Schema of OpenAPI 3.1 by the OpenAPI Initiative, with the dialect of
// the schemas within.
async function againstSchema(text) {
  const output = await validate('https://spec.openapis.org/oas/3.1/schema-base', parseYaml(text), BASIC);
  if (output.valid) return [];
  return output.errors.map((e) => `${e.instanceLocation} breaks ${e.absoluteKeywordLocation}`);
}

async function linted(text) {
  const config = await createConfig(readFileSync(new URL('redocly.yaml', import.meta.url), 'utf8'));
  const problems = await lintFromString({ source: text, absoluteRef: base + '/openapi.yaml', config });
  return problems.map((p) => `${p.ruleId}: ${p.message} at ${p.location[0]?.pointer}`);
}

// AsyncAPI's parser reads the schemas of the events from the server too.
async function parsed(text) {
  const parser = new Parser();
  const diagnostics = await parser.validate(text, { source: base + '/asyncapi.yaml' });
  return diagnostics.filter((d) => d.severity <= 1).map((d) => `${d.code}: ${d.message} at #/${d.path.join('/')}`);
}

const openapi = await get('/openapi.yaml');
const asyncapi = await get('/asyncapi.yaml');
for (const [name, check, text] of [
  ['openapi schema', againstSchema, openapi], ['openapi lint', linted, openapi], ['asyncapi', parsed, asyncapi],
]) {
  const faults = await check(text).catch((e) => [e.message.split('\n')[0]]); // what is not YAML is thrown
  for (const fault of faults) console.log(`${name}: ${fault}`);
  console.log(`${name}: ${faults.length} faults`);
}
