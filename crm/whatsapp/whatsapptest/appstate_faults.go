package whatsapptest

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"maps"
	"slices"

	"google.golang.org/protobuf/proto"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waServerSync"
	"go.mau.fi/whatsmeow/proto/waSyncAction"
	"go.mau.fi/whatsmeow/proto/waSyncdSnapshotRecovery"
)

// ChangeUnread is Change with a patch that no client can verify. With whole, a snapshot of
// the collection cannot be verified either, until its next ChangeUnread. Other collections
// are read as before.
func (a *Account) ChangeUnread(patch appstate.PatchInfo, whole bool) {
	defer a.srv.lock()()
	s := a.appState
	s.spoilPatch, s.spoilWhole[patch.Type] = true, whole
	a.change(patch)
	s.spoilPatch = false
}

// StateRequests is StateCopies, and counts what IgnoreRequests has left without an answer too.
func (a *Account) StateRequests() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.appState.requests
}

// RefuseWholeStates refuses to send a whole collection with an error code, or with 0 sends it
// again.
func (a *Account) RefuseWholeStates(code int) {
	defer a.srv.lock()()
	a.appState.wholeRefusal = code
}

// RefuseChanges refuses what clients change with an error code, or with 0 takes it again. It
// refuses only patches with a change whose index begins with these strings.
func (a *Account) RefuseChanges(code int, index ...string) {
	defer a.srv.lock()()
	a.appState.refusal, a.appState.refusedIndex = code, index
}

// refuses reports whether a client's patch is refused.
func (s *appState) refuses(raw []byte) bool {
	if s.refusal == 0 || len(s.refusedIndex) == 0 {
		return s.refusal != 0
	}
	patch := new(waServerSync.SyncdPatch)
	if proto.Unmarshal(raw, patch) != nil {
		return false
	}
	return slices.ContainsFunc(patch.GetMutations(), func(m *waServerSync.SyncdMutation) bool {
		c, err := s.read(m)
		return err == nil && len(c.Index) >= len(s.refusedIndex) && slices.Equal(c.Index[:len(s.refusedIndex)], s.refusedIndex)
	})
}

// RefusedChanges returns how many patches of clients were refused.
func (a *Account) RefusedChanges() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.appState.refused
}

// StateCopies returns how often clients asked the phone for a copy of a collection.
func (a *Account) StateCopies() int {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return a.appState.copies
}

// onStateRequest sends a copy of a collection, which is not encrypted once more.
func (a *Account) onStateRequest(d *Device, request *waE2E.PeerDataOperationRequestMessage, id string) {
	s := a.appState
	s.copies++
	name := appstate.WAPatchName(request.GetSyncdCollectionFatalRecoveryRequest().GetCollectionName())
	col := s.collections[name]
	if col == nil {
		a.srv.note("the phone was asked for a copy of %s", name)
		return
	}
	whole := &waSyncdSnapshotRecovery.SyncdSnapshotRecovery{
		Version: &waSyncdSnapshotRecovery.SyncdVersion{Version: &col.version}, CollectionName: proto.String(string(name)), CollectionLthash: col.hash[:],
	}
	for _, index := range slices.Sorted(maps.Keys(col.records)) {
		m := &waServerSync.SyncdMutation{Operation: waServerSync.SyncdMutation_SET.Enum(), Record: col.records[index]}
		change, err := s.read(m)
		if err != nil {
			a.srv.note("a record of %s: %v", name, err)
			return
		}
		plain, err := json.Marshal(change.Index)
		if err != nil {
			a.srv.note("%v", err)
			return
		}
		whole.MutationRecords = append(whole.MutationRecords, &waSyncdSnapshotRecovery.SyncdPlainTextRecord{
			Value: &waSyncAction.SyncActionData{Index: plain, Value: change.Value}, KeyID: s.keyID, Mac: valueMAC(m),
		})
	}
	data, err := proto.Marshal(whole)
	if err != nil {
		a.srv.note("%v", err)
		return
	}
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	_, _ = w.Write(data) // to memory
	_ = w.Close()
	a.sendPeer(d, &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_PEER_DATA_OPERATION_REQUEST_RESPONSE_MESSAGE.Enum(),
		PeerDataOperationRequestResponseMessage: &waE2E.PeerDataOperationRequestResponseMessage{
			PeerDataOperationRequestType: request.PeerDataOperationRequestType, StanzaID: &id,
			PeerDataOperationResult: []*waE2E.PeerDataOperationRequestResponseMessage_PeerDataOperationResult{{
				SyncdSnapshotFatalRecoveryResponse: &waE2E.PeerDataOperationRequestResponseMessage_PeerDataOperationResult_SyncDSnapshotFatalRecoveryResponse{
					CollectionSnapshot: packed.Bytes(), IsCompressed: proto.Bool(true),
				},
			}},
		},
	})
}
