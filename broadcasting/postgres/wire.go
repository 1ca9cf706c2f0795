package postgres

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"chatcast/broadcasting/cluster"
)

// topic is the channel of the notifications.
const topic = "chatcast_bus"

// payloadBytes is how much of a message one notification has: PostgreSQL takes less than
// 8000 bytes, and the head needs some.
const payloadBytes = 7800

// payloads encodes messages that are sent together, as the payloads of notifications:
//
//	<node> <n> <part> <parts> <JSON>
//
// Within one node n is different each time: PostgreSQL drops the second of two equal
// notifications of one transaction.
func payloads(node string, n uint64, list []cluster.Message) ([]string, error) {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(list); err != nil {
		return nil, err
	}
	var parts []string
	for rest := strings.TrimSuffix(body.String(), "\n"); rest != ""; {
		end := min(payloadBytes, len(rest))
		for end < len(rest) && !utf8.RuneStart(rest[end]) { // half a character is not text
			end--
		}
		parts = append(parts, rest[:end])
		rest = rest[end:]
	}
	for i, part := range parts {
		parts[i] = fmt.Sprintf("%s %d %d %d %s", node, n, i+1, len(parts), part)
	}
	return parts, nil
}

// errPayload means that a notification is not one of ours.
var errPayload = errors.New("postgres: a notification that is not a message")

// assembler puts messages together again. The parts of one come one after the other,
// because they are of one transaction.
type assembler struct {
	node, n string
	next    int
	body    strings.Builder
}

// add takes a payload. It returns the messages when it was the last part.
func (a *assembler) add(payload string) (node string, list []cluster.Message, err error) {
	head := strings.SplitN(payload, " ", 5)
	if len(head) != 5 {
		return "", nil, errPayload
	}
	part, err := strconv.Atoi(head[2])
	parts, errOf := strconv.Atoi(head[3])
	if err != nil || errOf != nil || part < 1 || part > parts {
		return "", nil, errPayload
	}
	if part == 1 {
		a.node, a.n, a.next = head[0], head[1], 1
		a.body.Reset()
	}
	if a.node != head[0] || a.n != head[1] || a.next != part {
		return "", nil, errPayload // the listening began between its parts
	}
	a.next++
	a.body.WriteString(head[4])
	if part < parts {
		return "", nil, nil
	}
	body := a.body.String()
	a.body.Reset()
	if err := json.Unmarshal([]byte(body), &list); err != nil {
		return "", nil, fmt.Errorf("%w: %w", errPayload, err)
	}
	return head[0], list, nil
}
