package crm

import (
	"embed"
	"io/fs"
	"slices"
	"strings"

	"chatcast/channels"
)

//go:embed schemas/*.json schemas/internal/*.json
var schemaFiles embed.FS

// Schema returns the JSON Schema (draft 2020-12) of an event's data, the whole
// {"payload":...}. It returns false when the catalogue has no such event.
func Schema(event string) ([]byte, bool) {
	if strings.ContainsAny(event, `/\.`) {
		return nil, false
	}
	b, err := schemaFiles.ReadFile("schemas/" + event + ".json")
	return b, err == nil
}

// InternalSchema is Schema for an event that only dialects read, which is not in the catalogue.
func InternalSchema(event string) ([]byte, bool) {
	name, internal := strings.CutPrefix(event, channels.InternalPrefix)
	if !internal {
		return nil, false
	}
	if strings.ContainsAny(name, `/\.`) {
		return nil, false
	}
	b, err := schemaFiles.ReadFile("schemas/internal/" + name + ".json")
	return b, err == nil
}

// EventNames lists the events that have a schema, sorted: the whole catalogue.
func EventNames() []string {
	files, err := fs.ReadDir(schemaFiles, "schemas")
	if err != nil {
		panic("crm: embedded schemas: " + err.Error()) // cannot happen: the folder is embedded
	}
	names := make([]string, 0, len(files))
	for _, f := range files {
		if f.IsDir() { // of InternalSchema
			continue
		}
		names = append(names, strings.TrimSuffix(f.Name(), ".json"))
	}
	slices.Sort(names)
	return names
}
