// The two errors that the node of Evolution API takes from n8n. n8n's own package is large, and
// its licence is no free one, so the tests have this instead.
class NodeOperationError extends Error {
  constructor(node, error, { message, description } = {}) {
    super(message ?? (error instanceof Error ? error.message : error));
    Object.assign(this, { name: "NodeOperationError", node, description });
  }
}

class NodeApiError extends Error {
  constructor(node, { message, description } = {}) {
    super(message);
    Object.assign(this, { name: "NodeApiError", node, description });
  }
}

module.exports = { NodeOperationError, NodeApiError };
