package whatsapp

import (
	"slices"

	"go.mau.fi/libsignal/state/record"
	"go.mau.fi/whatsmeow/store"
)

// untouched returns the record of a session after a decryption, with the states that did
// not decrypt the message as they were before. before is nil if there was no record.
//
// A record holds the current state and earlier ones. There are several when both sides
// began a session because both wrote first. libsignal tries them in turn, and changes each
// of them, although only one fits the message: the root key and the sending chain of the
// others are lost, and so is what is written with them later. It also keeps a copy of an
// earlier state that becomes the current one: that copy would use a counter again.
func untouched(before, after []byte) ([]byte, error) {
	if before == nil {
		return after, nil
	}
	was, err := store.SignalProtobufSerializer.Session.Deserialize(before)
	if err != nil {
		return nil, err
	}
	now, err := store.SignalProtobufSerializer.Session.Deserialize(after)
	if err != nil {
		return nil, err
	}
	if len(now.PreviousStates) == 0 {
		return after, nil
	}
	known := map[string]*record.StateStructure{} // by the key that began the session
	for _, state := range slices.Backward(append([]*record.StateStructure{was.SessionState}, was.PreviousStates...)) {
		known[string(state.SenderBaseKey)] = state // the newest of its copies, if there are any
	}
	delete(known, string(now.SessionState.SenderBaseKey))
	var others []*record.StateStructure
	for _, state := range now.PreviousStates {
		key := string(state.SenderBaseKey)
		if known[key] != nil {
			others = append(others, known[key])
			delete(known, key)
		}
	}
	now.PreviousStates = others
	return store.SignalProtobufSerializer.Session.Serialize(now), nil
}
