package apitest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"chatcast/crm"
)

// schemas holds the compiled schemas of the events, by name.
var schemas sync.Map

// CheckEvent checks an event's data against its JSON Schema. An event that is not in
// the catalogue is an error.
func CheckEvent(name string, data []byte) error {
	schema, known := schemas.Load(name)
	if !known {
		text, ok := crm.Schema(name)
		if !ok {
			return fmt.Errorf("there is no schema of the event %q", name)
		}
		value, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
		if err != nil {
			return err
		}
		compiler := jsonschema.NewCompiler()
		if err := compiler.AddResource(name+".json", value); err != nil {
			return err
		}
		if schema, err = compiler.Compile(name + ".json"); err != nil {
			return err
		}
		schemas.Store(name, schema)
	}
	value, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return fmt.Errorf("the event %s: %w", name, err)
	}
	if err := schema.(*jsonschema.Schema).Validate(value); err != nil {
		return fmt.Errorf("the event %s: %w", name, err)
	}
	return nil
}

// CheckFrame is CheckEvent for a frame as a socket receives it. It checks events of the
// CRM's own channels. Protocol frames and events of other channels, which belong to
// users, have no schema.
func CheckFrame(frame []byte) error {
	var f struct {
		Event, Channel string
		Data           json.RawMessage // an object in some protocol frames
	}
	if err := json.Unmarshal(frame, &f); err != nil {
		return fmt.Errorf("a frame is not JSON: %w", err)
	}
	if !strings.HasPrefix(f.Channel, "private-v1.") || strings.HasPrefix(f.Event, "pusher") || strings.HasPrefix(f.Event, "chatcast:") || strings.HasPrefix(f.Event, "client-") {
		return nil
	}
	var data string
	if err := json.Unmarshal(f.Data, &data); err != nil {
		return fmt.Errorf("the data of %s is no string of JSON: %w", f.Event, err)
	}
	return CheckEvent(f.Event, []byte(data))
}

// checkEvents checks each event of an answer of GET /v1/events.
func checkEvents(body []byte) error {
	var answer struct {
		Data struct {
			Items []struct {
				Event string
				Data  json.RawMessage
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return err
	}
	for _, item := range answer.Data.Items {
		if err := CheckEvent(item.Event, item.Data); err != nil {
			return err
		}
	}
	return nil
}

// checkStream checks each event of an answer of GET /v1/events/stream, whose last block may
// be cut.
func checkStream(body []byte) error {
	blocks := strings.Split(string(body), "\n\n")
	for _, block := range blocks[:len(blocks)-1] {
		var name, data string
		for line := range strings.Lines(block) {
			field, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ": ")
			switch field {
			case "event":
				name = value
			case "data":
				data = value
			case "id", "retry", ":":
			default:
				return fmt.Errorf("a stream has the line %q", line)
			}
		}
		if name == "" || strings.HasPrefix(name, "chatcast:") {
			continue
		}
		if err := CheckEvent(name, []byte(data)); err != nil {
			return err
		}
	}
	return nil
}
