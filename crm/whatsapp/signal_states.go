package whatsapp

import (
	"bytes"
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

// usable reports whether a message can be encrypted with a stored session.
func usable(session []byte) bool {
	is, err := store.SignalProtobufSerializer.Session.Deserialize(session)
	return err == nil && is.SessionState != nil
}

// archivedStates is how many earlier states libsignal keeps in a record.
const archivedStates = 40

// follows reports whether a record was made of the one before by encrypting one message with
// it, or by beginning a new session beside it. before is nil if there was no record.
func follows(before, after []byte) bool {
	if before == nil || after == nil {
		return before == nil
	}
	codec := store.SignalProtobufSerializer.Session
	was, err := codec.Deserialize(before)
	if err != nil {
		return false
	}
	now, err := codec.Deserialize(after)
	if err != nil {
		return false
	}
	if a, b := was.SessionState.SenderChain, now.SessionState.SenderChain; a != nil && b != nil && a.ChainKey != nil && b.ChainKey != nil &&
		b.ChainKey.Index == a.ChainKey.Index+1 {
		key := b.ChainKey
		b.ChainKey = a.ChainKey
		same := bytes.Equal(codec.Serialize(was), codec.Serialize(now))
		b.ChainKey = key
		if same {
			return true
		}
	}
	earlier := append([]*record.StateStructure{was.SessionState}, was.PreviousStates...)
	was.PreviousStates, now.SessionState = earlier[:min(len(earlier), archivedStates)], was.SessionState
	return bytes.Equal(codec.Serialize(was), codec.Serialize(now))
}
