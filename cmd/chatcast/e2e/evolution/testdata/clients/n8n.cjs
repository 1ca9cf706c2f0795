// The node of Evolution API for n8n, driven as n8n drives it: its own execute function runs with
// the parameters of a workflow and sends its own requests. Each line of standard input is a JSON
// object: the node's parameters under "parameters", "list" for what there is to drive, "fields"
// for those of a form, or "test" for the check of the credentials. Each line of standard output
// answers one.
const axios = require("axios");
const { EvolutionApi } = require("n8n-nodes-evolution-api/dist/nodes/EvolutionApi/EvolutionApi.node.js");
const { EvolutionApi: Credentials } = require("n8n-nodes-evolution-api/dist/credentials/EvolutionApi.credentials.js");
const { resourceOperationsFunctions } = require("n8n-nodes-evolution-api/dist/nodes/EvolutionApi/execute/index.js");

const node = new EvolutionApi();
const { properties } = node.description;
const credentials = { "server-url": process.argv[2], apikey: process.argv[3] };

// shown says whether a form with these values shows a field.
const shown = ({ displayOptions: { show = {}, hide = {} } = {} }, values) =>
  Object.entries(show).every(([name, wanted]) => wanted.includes(values[name])) &&
  !Object.entries(hide).some(([name, unwanted]) => unwanted.includes(values[name]));

// filled returns what n8n keeps of a form: the fields that are shown, with the form's own values
// where nothing was entered. A field may depend on another one that comes later.
function filled(entered) {
  let values = {};
  for (let before = -1; Object.keys(values).length !== before; ) {
    before = Object.keys(values).length;
    for (const field of properties) {
      if (shown(field, values)) values[field.name] = entered[field.name] ?? values[field.name] ?? field.default;
    }
  }
  const unknown = Object.keys(entered).filter((name) => !(name in values));
  if (unknown.length > 0) throw new Error(`the form of ${entered.operation} has no field ${unknown}`);
  return values;
}

// request sends one request as n8n's helper of this name does: what is not 2xx is an error.
async function request(options, calls) {
  const { method, uri, headers, body, json } = options;
  const { status, data } = await axios({
    method, url: uri, data: body, headers: { Accept: json ? "application/json" : "*/*", ...headers }, validateStatus: null, maxRedirects: 0,
  });
  calls.push({ method, path: uri.slice(credentials["server-url"].length), body: body ?? null, status });
  if (status < 200 || status > 299) {
    throw Object.assign(new Error(`${status} - ${JSON.stringify(data)}`), { statusCode: status, error: data });
  }
  return data;
}

// context is what n8n gives the node when it runs.
function context(values, calls) {
  return {
    getNodeParameter(path, item, otherwise) {
      const value = path.split(".").reduce((at, name) => at?.[name], values) ?? otherwise;
      if (value === undefined) throw new Error(`Could not get parameter "${path}"`);
      return value;
    },
    getInputData: () => [{ json: {} }],
    getNode: () => ({ name: "Evolution API", type: "n8n-nodes-evolution-api.evolutionApi" }),
    continueOnFail: () => false,
    getCredentials: async () => credentials,
    helpers: {
      request: (options) => request(options, calls),
      returnJsonArray: (data) => [data].flat().map((item) => (item?.json ? item : { json: item })),
    },
  };
}

// run runs the node once. "direct" calls a function whose form n8n cannot show.
async function run({ parameters, direct }) {
  const calls = [];
  try {
    if (direct) {
      const result = await resourceOperationsFunctions[parameters.resource][direct](context(parameters, calls));
      return { calls, items: [result] };
    }
    const [items] = await node.execute.call(context(filled(parameters), calls));
    return { calls, items };
  } catch (error) {
    return { calls, error: { name: error.name, message: error.message, description: error.description } };
  }
}

// list returns the operations that the form offers, and those that have code: "resource/operation",
// and "/mode" where a further choice decides what is asked.
function list() {
  const offered = [];
  for (const { name, displayOptions, options } of properties) {
    if (name === "operation") {
      for (const { value } of options) offered.push(`${displayOptions.show.resource[0]}/${value}`);
    }
  }
  for (const { name, displayOptions, options } of properties) {
    if (!name.startsWith("resourceFor") && name !== "searchMethod") continue;
    const of = `${displayOptions.show.resource[0]}/${displayOptions.show.operation[0]}`;
    offered.splice(offered.indexOf(of), 1, ...options.map(({ value }) => `${of}/${value}`));
  }
  const coded = Object.entries(resourceOperationsFunctions).flatMap(([of, all]) => Object.keys(all).map((name) => `${of}/${name}`));
  return { offered, coded };
}

// test sends the request by which n8n checks the credentials.
async function test() {
  const value = (text) => (text.startsWith("=") ? new Function("$credentials", `return ${text.slice(3, -2)}`)(credentials) : text);
  const { baseURL, url, method, headers } = new Credentials().test.request;
  const calls = [];
  const data = await request({ method, uri: value(baseURL) + value(url).slice(value(url).indexOf("/")), headers: { apikey: value(headers.apikey) }, json: true }, calls);
  return { calls, items: [{ json: { data } }] };
}

async function main() {
  for await (const line of require("node:readline").createInterface({ input: process.stdin })) {
    const asked = JSON.parse(line);
    const answer = asked.fields ? Object.keys(filled(asked.fields)) : asked.list ? list() : asked.test ? await test() : await run(asked);
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

main().catch((error) => {
  process.stderr.write(`${error.stack}\n`);
  process.exit(1);
});
