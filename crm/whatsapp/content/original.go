package content

import (
	"bytes"
	"encoding/json"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/reflect/protoreflect"

	"go.mau.fi/whatsmeow/proto/waE2E"
)

// maxOriginal is crm's limit of what is kept of a message of an unknown kind, in bytes.
const maxOriginal = 4096

// original returns what a message of an unknown kind says, as an object of JSON with
// WhatsApp's own names: bytes are base64, and 64-bit numbers strings. name is that of the
// field that is set. It returns nil for a field that is no message, that says nothing, or that is too long.
func original(m *waE2E.Message, name string) json.RawMessage {
	field := m.ProtoReflect().Descriptor().Fields().ByJSONName(name)
	if field == nil || field.Kind() != protoreflect.MessageKind || field.IsList() || field.IsMap() {
		return nil
	}
	b, err := protojson.Marshal(m.ProtoReflect().Get(field).Message().Interface())
	if err != nil || len(b) > 2*maxOriginal {
		return nil
	}
	var compact bytes.Buffer // protojson puts spaces where it likes
	if json.Compact(&compact, b) != nil || compact.Len() > maxOriginal || compact.Len() == len("{}") {
		return nil
	}
	return compact.Bytes()
}
