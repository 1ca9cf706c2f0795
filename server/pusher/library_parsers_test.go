package pusher

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// parsed is a frame as the libraries see it first: an object with raw fields.
type parsed map[string]json.RawMessage

func (f parsed) text(field string) (s string) {
	_ = json.Unmarshal(f[field], &s) // else it is empty, which no rule accepts
	return s
}

func (f parsed) is(events ...string) bool { return slices.Contains(events, f.text("event")) }

func (f parsed) on(prefix string) bool { return strings.HasPrefix(f.text("channel"), prefix) }

// object returns the fields of data, which is an object or a string that holds one.
func (f parsed) object() (parsed, error) {
	raw := f["data"]
	var inside string
	if json.Unmarshal(raw, &inside) == nil {
		raw = json.RawMessage(inside)
	}
	var object parsed
	if err := json.Unmarshal(raw, &object); err != nil || object == nil {
		return nil, fmt.Errorf("data holds no object: %s", f["data"])
	}
	return object, nil
}

// Shapes that a field may have to have.
func isString(raw json.RawMessage) bool { return strings.HasPrefix(string(raw), `"`) }
func isObject(raw json.RawMessage) bool { return strings.HasPrefix(string(raw), `{`) }
func isWhole(raw json.RawMessage) bool  { return wholeNumber(raw) }
func isValue(raw json.RawMessage) bool {
	return len(raw) > 0 && !isObject(raw) && raw[0] != '[' && string(raw) != "null"
}

// holds returns an error unless the object in data has the field, with that shape.
func (f parsed) holds(field string, shape func(json.RawMessage) bool) error {
	object, err := f.object()
	if err == nil && !shape(object[field]) {
		err = fmt.Errorf("%s in data is %s", field, object[field])
	}
	return err
}

func (f parsed) dataIs(shape func(json.RawMessage) bool) error {
	if !shape(f["data"]) {
		return fmt.Errorf("data is %s", f["data"])
	}
	return nil
}

func (f parsed) dataIsString() error { return f.dataIs(isString) }

// documentedObjects are the events whose data Pusher documents as an object, and the
// refusal of a subscription, which other servers send in the same way.
var documentedObjects = []string{"pusher:error", "pusher:signin_success", "pusher_internal:watchlist_events", "pusher:subscription_error"}

// parserRule is what a parser needs of a frame: otherwise it throws, or drops the frame.
type parserRule struct {
	library, file string // where the parser stands
	why           string
	of            func(f parsed) bool // the frames that the parser gets
	check         func(f parsed) error
	broken        string // a frame that breaks the rule
}

func every(parsed) bool { return true }
func events(names ...string) func(f parsed) bool {
	return func(f parsed) bool { return f.is(names...) }
}
func hold(field string, shape func(json.RawMessage) bool) func(f parsed) error {
	return func(f parsed) error { return f.holds(field, shape) }
}

const (
	established    = "pusher:connection_established"
	subscribedName = "pusher_internal:subscription_succeeded"
	addedName      = "pusher_internal:member_added"
	removedName    = "pusher_internal:member_removed"
	countName      = "pusher_internal:subscription_count"

	java    = "pusher/pusher-websocket-java"
	swift   = "pusher/pusher-websocket-swift"
	flutter = "pusher/pusher-channels-flutter"
	dart    = "kerimamansaryyev/dart_pusher_channels"
	python  = "nlsdfnbch/Pysher"
	goGuard = "goguardian/pusher-ws-go"
	goToo   = "toorop/go-pusher"
	js      = "pusher/pusher-js"
)

func ofPresence(f parsed) bool { return f.is(subscribedName) && f.on("presence-") }

// members checks the roster of a presence channel.
func members(f parsed) error {
	object, err := f.object()
	var roster struct {
		IDs   []string
		Hash  map[string]json.RawMessage
		Count *int
	}
	switch {
	case err != nil:
		return err
	case json.Unmarshal(object["presence"], &roster) != nil || roster.Count == nil || roster.Hash == nil:
		return fmt.Errorf("presence is %s", object["presence"])
	}
	for _, id := range roster.IDs {
		if _, ok := roster.Hash[id]; !ok {
			return fmt.Errorf("%q is not in the hash", id)
		}
	}
	return nil
}

var parserRules = []parserRule{
	{java, "channel/PusherEvent.java", "getData calls a method of the field data: without it, a NullPointerException",
		every, func(f parsed) error { return f.dataIs(func(raw json.RawMessage) bool { return len(raw) > 0 }) },
		`{"event":"pusher:cache_miss","channel":"cache-a"}`},
	{java, "channel/PusherEvent.java", "getEventName, getChannelName and getUserId throw for anything but a plain value", every, func(f parsed) error {
		for _, field := range []string{"event", "channel", "user_id"} {
			if raw, there := f[field]; there && !isValue(raw) {
				return fmt.Errorf("%s is %s", field, raw)
			}
		}
		return nil
	}, `{"event":"e","channel":null,"data":""}`},
	{java, "connection/websocket/WebSocketConnection.java", "socket_id is cast to a string",
		events(established), hold("socket_id", isString), `{"event":"pusher:connection_established","data":"{\"socket_id\":1.2}"}`},
	{java, "connection/websocket/WebSocketConnection.java", "code is cast to a number",
		events("pusher:error"), hold("code", isWhole), `{"event":"pusher:error","data":{"code":"4001","message":"x"}}`},
	{java, "channel/impl/PresenceChannelImpl.java", "the roster is parsed as lists and maps, and looked up by id",
		ofPresence, members, `{"event":"pusher_internal:subscription_succeeded","channel":"presence-r","data":"{}"}`},
	{java, "channel/impl/message/PresenceMemberData.java", "user_id is parsed as a string",
		events(addedName, removedName), hold("user_id", isValue), `{"event":"pusher_internal:member_added","channel":"presence-r","data":"{}"}`},
	{java, "channel/impl/message/SubscriptionCountData.java", "subscription_count is unboxed",
		events(countName), hold("subscription_count", isWhole), `{"event":"pusher_internal:subscription_count","channel":"a","data":"{}"}`},
	{java, "user/impl/InternalUser.java", "user_data is cast to a string",
		events("pusher:signin_success"), hold("user_data", isString), `{"event":"pusher:signin_success","data":{"user_data":{"id":"A"}}}`},
	// The rule cannot hold for subscription_count, which Pusher too sends on such channels.
	{java, "channel/impl/PrivateEncryptedChannelImpl.java", "data that is not exactly {} is decrypted: without ciphertext, a NullPointerException",
		func(f parsed) bool {
			return f.on("private-encrypted-") && f.is(subscribedName, "pusher:cache_miss", "pusher:subscription_error")
		},
		func(f parsed) error {
			if string(f["data"]) != `"{}"` {
				return fmt.Errorf("data is %s", f["data"])
			}
			return nil
		}, `{"event":"pusher:cache_miss","channel":"private-encrypted-cache-a","data":"null"}`},

	{swift, "Sources/Extensions/PusherConnection+WebsocketDelegate.swift", "a frame whose event is no string is dropped",
		every, func(f parsed) error {
			if !isString(f["event"]) {
				return fmt.Errorf("event is %s", f["event"])
			}
			return nil
		}, `{"event":5,"data":""}`},
	{swift, "Sources/Models/PusherError.swift", "data must be an object, not a string that holds one",
		events("pusher:error"), func(f parsed) error { return f.dataIs(isObject) }, `{"event":"pusher:error","data":"{\"code\":4001,\"message\":\"x\"}"}`},
	{swift, "Sources/Models/PusherError.swift", "an error without message is dropped",
		events("pusher:error"), hold("message", isString), `{"event":"pusher:error","data":{"code":4001}}`},
	{swift, "Sources/Services/ChannelEventFactory.swift", "data that is no string reads as none; then a subscription is not announced, and members stay unknown",
		func(f parsed) bool {
			return !f.is(documentedObjects...) && !strings.HasPrefix(f.text("event"), "client-")
		}, parsed.dataIsString,
		`{"event":"pusher_internal:subscription_succeeded","channel":"a","data":{}}`},
	{swift, "Sources/Models/PusherPresenceChannel.swift", "user_id is unwrapped by force: without it, a crash",
		events(addedName, removedName), hold("user_id", isString), `{"event":"pusher_internal:member_removed","channel":"presence-r","data":"{\"user_id\":7}"}`},

	{flutter, "lib/pusher_channels_flutter.dart", "data is an object or a string of JSON",
		events(subscribedName, countName), func(f parsed) error { _, err := f.object(); return err }, `{"event":"pusher_internal:subscription_succeeded","channel":"a","data":null}`},
	{dart, "lib/src/events/connection_established_event.dart", "a greeting without socket_id is dropped",
		events(established), hold("socket_id", isValue), `{"event":"pusher:connection_established","data":"{}"}`},
	{dart, "lib/src/channels/members.dart", "presence is an object with a hash",
		ofPresence, members, `{"event":"pusher_internal:subscription_succeeded","channel":"presence-r","data":"{\"presence\":{\"hash\":null,\"count\":0}}"}`},
	{dart, "lib/src/channels/presence_channel.dart", "a member without user_id is dropped",
		events(addedName, removedName), hold("user_id", isValue), `{"event":"pusher_internal:member_added","channel":"presence-r","data":"[]"}`},

	{python, "pysher/connection.py", "_connect_handler parses data as JSON: it must be a string",
		events(established), parsed.dataIsString, `{"event":"pusher:connection_established","data":{"socket_id":"1.2"}}`},
	{python, "pysher/connection.py", "_pusher_error_handler looks for code in data",
		events("pusher:error"), hold("code", isWhole), `{"event":"pusher:error","data":{"message":"x"}}`},
	{python, "pysher/connection.py", "a frame without channel goes to the connection, with one to the channel",
		every, func(f parsed) error {
			ofConnection := f.is(established, "pusher:ping", "pusher:pong", "pusher:error", "pusher:signin_success", "pusher_internal:watchlist_events")
			if _, there := f["channel"]; there == ofConnection {
				return errors.New("it goes to the wrong place")
			}
			return nil
		}, `{"event":"pusher:cache_miss","data":"{}"}`},

	{goGuard, "client.go", "UnmarshalDataString parses data as a string that holds an object",
		func(f parsed) bool { return f.is(established, addedName, removedName) || ofPresence(f) },
		func(f parsed) error { _, err := f.object(); return errors.Join(err, f.dataIsString()) },
		`{"event":"pusher_internal:member_added","channel":"presence-r","data":{"user_id":"A"}}`},
	{goGuard, "event.go", "code and message are parsed as a number and a string",
		events("pusher:error"), func(f parsed) error {
			return errors.Join(f.dataIs(isObject), f.holds("code", isWhole), f.holds("message", isString))
		},
		`{"event":"pusher:error","data":"x"}`},
	{goToo, "event.go", "data is parsed as a string, of pings and pongs too: otherwise the client stops reading",
		func(f parsed) bool {
			return !f.is(documentedObjects...) && !strings.HasPrefix(f.text("event"), "client-")
		}, parsed.dataIsString,
		`{"event":"pusher:pong","data":{}}`},

	{js, "src/core/connection/protocol/protocol.ts", "a greeting without activity_timeout, or with 0, is refused", events(established), hold("activity_timeout", func(raw json.RawMessage) bool {
		return isWhole(raw) && string(raw) != "0"
	}), `{"event":"pusher:connection_established","data":"{\"socket_id\":\"1.2\",\"activity_timeout\":0}"}`},
	{js, "src/core/connection/protocol/protocol.ts", "an error without number ends a client under node",
		events("pusher:error"), hold("code", isWhole), `{"event":"pusher:error","data":{"code":null,"message":"x"}}`},
}

// TestParsersOfLibraries checks every frame that this package sends against what the
// parsers of the usual client libraries need, as their sources say.
func TestParsersOfLibraries(t *testing.T) {
	for _, rule := range parserRules {
		t.Run(rule.library+"/"+rule.file, func(t *testing.T) {
			met := false
			for _, sent := range frames() {
				var f parsed
				if err := json.Unmarshal([]byte(payloadOf(t, sent.frame)), &f); err != nil {
					t.Fatalf("%s: %v", sent.name, err)
				}
				if !rule.of(f) {
					continue
				}
				met = true
				if err := rule.check(f); err != nil {
					t.Errorf("%s: %v: %s", sent.name, err, rule.why)
				}
			}
			if !met {
				t.Error("no frame is checked")
			}
			var f parsed
			if err := json.Unmarshal([]byte(rule.broken), &f); err != nil || !rule.of(f) || rule.check(f) == nil {
				t.Errorf("the rule lets %s pass (%v): %s", rule.broken, err, rule.why)
			}
		})
	}
}
