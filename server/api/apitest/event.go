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

// schemas are the compiled schemas of the events, by name.
var schemas sync.Map

// CheckEvent holds an event's data against its JSON Schema. An event that the
// catalogue does not have is an error.
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

// CheckFrame is CheckEvent for a frame as a socket receives it: of the events of
// the CRM's own channels. Frames of the protocol and events of other channels, which
// are users' own, have no schema.
func CheckFrame(frame []byte) error {
	var f struct {
		Event, Channel string
		Data           json.RawMessage // of some of the protocol's own an object
	}
	if err := json.Unmarshal(frame, &f); err != nil {
		return fmt.Errorf("a frame is not JSON: %w", err)
	}
	if !strings.HasPrefix(f.Channel, "private-v1.") || strings.HasPrefix(f.Event, "pusher") || strings.HasPrefix(f.Event, "client-") {
		return nil
	}
	var data string
	if err := json.Unmarshal(f.Data, &data); err != nil {
		return fmt.Errorf("the data of %s is no string of JSON: %w", f.Event, err)
	}
	return CheckEvent(f.Event, []byte(data))
}

// checkEvents looks at each event of an answer of GET /v1/events.
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
