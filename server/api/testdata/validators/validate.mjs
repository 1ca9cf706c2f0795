// node validate.mjs URL... holds files of servers, such as http://127.0.0.1:6001/openapi.yaml,
// against what their makers publish. It prints the URL of each, and each fault on a line.
import { validate } from '@hyperjump/json-schema/openapi-3-1';
import '@hyperjump/json-schema/openapi-3-0';
import { BASIC } from '@hyperjump/json-schema/experimental';
import { createConfig, lintFromString, parseYaml } from '@redocly/openapi-core';
import { Parser } from '@asyncapi/parser';
import { readFileSync } from 'node:fs';

async function get(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${url}: ${answer.status}`);
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

async function linted(text, url) {
  const config = await createConfig(readFileSync(new URL('redocly.yaml', import.meta.url), 'utf8'));
  const problems = await lintFromString({ source: text, absoluteRef: new URL('/openapi.yaml', url).href, config });
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
for (const url of process.argv.slice(2)) {
  console.log(url);
  const text = await get(url);
  for (const [name, check] of Object.entries(checks[new URL(url).pathname])) {
    const faults = await check(text, url).catch((e) => [e.message.split('\n')[0]]); // what is not YAML is thrown
    for (const fault of faults) console.log(`${name}: ${fault}`);
    console.log(`${name}: ${faults.length} faults`);
  }
}
