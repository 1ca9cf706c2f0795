// Writes src/generated.ts: the types of the events, from the JSON Schemas that the
// server guarantees. Usage: node scripts/generate.mjs [--out FILE]
//
// Each schema is complete, with its parts inline. Here the parts are moved out and
// named, so that the reference to a chat is one type and not nineteen.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { isDeepStrictEqual, parseArgs } from 'node:util';
import { compile } from 'json-schema-to-typescript';
import { descriptions, names, scalars } from './names.mjs';

const schemas = new URL('../../../../../crm/schemas/', import.meta.url);

const banner = `// Generated from crm/schemas/*.json by "npm run generate". Do not edit.
//
// What a number or a string may be (a pattern, a smallest value) is in the schemas
// alone: the server has them at /schemas/{event}.json.`;

const pascal = (s) => s[0].toUpperCase() + s.slice(1);
const defs = {}; // name -> schema
const usedNames = new Set();

// define stores a schema under a name and returns a reference to it. Two schemas
// with one name must be equal.
function define(name, schema) {
  const { title: _, ...rest } = schema;
  const described = { ...rest, description: rest.description ?? descriptions[name] };
  if (described.description === undefined) delete described.description;
  if (name in defs && !isDeepStrictEqual(defs[name], described)) {
    throw new Error(`${name} would be two different types: give one of them a name of its own in scripts/names.mjs`);
  }
  defs[name] = described;
  return { $ref: `#/$defs/${name}` };
}

// nameOf finds the name of the object at a path such as event.chat.
function nameOf(path) {
  for (const key of [path, path.split('.').at(-1)]) {
    if (Object.hasOwn(names, key)) {
      usedNames.add(key);
      return names[key];
    }
  }
  throw new Error(`${path} has no name: give it one in scripts/names.mjs`);
}

// lift replaces each object in a schema by a reference.
function lift(schema, path) {
  if (schema.$ref) return { $ref: `#/$defs/${nameOf(schema.$ref.split('/').at(-1))}` };
  if (Object.hasOwn(scalars, schema.description ?? '')) return define(scalars[schema.description], schema);
  if (schema.anyOf) return { ...schema, anyOf: schema.anyOf.map((s) => lift(s, path)) };
  if (schema.items) {
    // "At most twelve" would become twelve tuples, so only "at least one" is kept.
    const { maxItems: _, ...rest } = schema;
    return { ...rest, items: lift(schema.items, path) };
  }
  if (schema.properties) return define(nameOf(path), members(schema, path));
  return [schema.type].flat().includes('object') ? { ...schema, additionalProperties: true } : schema; // of any fields
}

function members(schema, path) {
  const properties = Object.entries(schema.properties).map(([k, s]) => [k, lift(s, `${path}.${k}`)]);
  return { ...schema, properties: Object.fromEntries(properties) };
}

// item is an element of payload.data. quickResponse and quickResponseList have two
// forms, which their type tells apart.
function item(event, schema) {
  const name = pascal(event);
  schema = { description: `What ${name}Data lists in payload.data.`, ...schema };
  if (!schema.oneOf) return define(name, members(schema, event));
  const forms = schema.oneOf.map((form) => {
    const gone = form.properties.type.const === 'destroy';
    return define(name + (gone ? 'Destroyed' : 'Saved'), members(form, gone ? `${event}.destroy` : event));
  });
  return define(name, { ...schema, oneOf: undefined, anyOf: forms });
}

function envelope(event, schema) {
  const { data, meta } = schema.properties.payload.properties;
  const payload = {
    ...schema.properties.payload,
    properties: {
      data: { ...data, items: item(event, data.items) },
      meta: define(`${pascal(event)}Meta`, { description: `Where ${pascal(event)}Data belongs.`, ...meta }),
    },
  };
  return define(`${pascal(event)}Data`, { ...schema, $schema: undefined, $defs: undefined, properties: { payload } });
}

function eventMap() {
  const properties = {};
  const files = readdirSync(schemas).filter((f) => f.endsWith('.json')).sort();
  for (const file of files) {
    const schema = JSON.parse(readFileSync(new URL(file, schemas), 'utf8'));
    for (const [name, def] of Object.entries(schema.$defs ?? {})) define(nameOf(name), members(def, name));
    properties[schema.title] = envelope(schema.title, schema);
  }
  return {
    description: 'The data of each event, by its name.',
    type: 'object', properties, required: Object.keys(properties), additionalProperties: false, $defs: defs,
  };
}

async function main() {
  const { values } = parseArgs({ options: { out: { type: 'string' } } });
  const map = JSON.parse(JSON.stringify(eventMap())); // drops undefined values
  for (const key of Object.keys(names)) {
    if (!usedNames.has(key)) throw new Error(`scripts/names.mjs names ${key}, which no schema has`);
  }
  const text = await compile(map, 'EventMap', {
    bannerComment: banner,
    additionalProperties: false,
    maxItems: 20,
    unknownAny: true,
    style: { singleQuote: true, printWidth: 120 },
  });
  const noted = text.replaceAll(/\n *\/\*\*\n *\* @minItems \d+\n *\*\//g, ''); // the tuple says it
  writeFileSync(values.out ?? new URL('../src/generated.ts', import.meta.url), noted);
}

await main();
