package docs

import (
	"fmt"
	"strings"

	"github.com/goccy/go-yaml"
)

// node is a part of a YAML or JSON document whose keys keep their order.
type node struct{ value any }

type pair struct {
	key string
	node
}

// read parses a document in YAML or JSON, which is YAML too.
func read(text []byte) (node, error) {
	var v any
	err := yaml.UnmarshalWithOptions(text, &v, yaml.UseOrderedMap())
	return node{v}, err
}

// get walks down the keys. It returns an empty node if one is missing.
func (n node) get(keys ...string) node {
	for _, key := range keys {
		next := node{}
		for _, p := range n.pairs() {
			if p.key == key {
				next = p.node
			}
		}
		n = next
	}
	return n
}

// has reports whether there is a value at the keys, which may be null.
func (n node) has(key string) bool {
	for _, p := range n.pairs() {
		if p.key == key {
			return true
		}
	}
	return false
}

func (n node) pairs() []pair {
	object, _ := n.value.(yaml.MapSlice)
	list := make([]pair, len(object))
	for i, item := range object {
		list[i] = pair{fmt.Sprint(item.Key), node{item.Value}}
	}
	return list
}

func (n node) list() []node {
	items, _ := n.value.([]any)
	list := make([]node, len(items))
	for i, item := range items {
		list[i] = node{item}
	}
	return list
}

// text returns a scalar as it is written; empty if there is none.
func (n node) text() string {
	if n.value == nil {
		return ""
	}
	return strings.TrimSpace(fmt.Sprint(n.value))
}

func (n node) texts() []string {
	var list []string
	for _, item := range n.list() {
		list = append(list, item.text())
	}
	return list
}

// document is a whole reference, whose parts refer to each other.
type document struct{ root node }

// follow resolves n if it is a $ref into the document. name is the last part of the
// outermost reference; empty if n is no reference.
func (d document) follow(n node) (to node, name string) {
	for range 8 { // no chain of references is longer; a cycle must not hang the page
		ref := n.get("$ref").text()
		pointer, local := strings.CutPrefix(ref, "#/")
		if !local {
			break
		}
		keys := strings.Split(pointer, "/")
		if name == "" {
			name = keys[len(keys)-1]
		}
		n = d.root.get(keys...)
	}
	return n, name
}
