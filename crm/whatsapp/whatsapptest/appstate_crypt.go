package whatsapptest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"maps"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/appstate/lthash"
	"go.mau.fi/whatsmeow/proto/waServerSync"
	"go.mau.fi/whatsmeow/proto/waSyncAction"
	"go.mau.fi/whatsmeow/util/cbcutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"google.golang.org/protobuf/proto"
)

// App state is encrypted and authenticated as follows: an HMAC of the index
// replaces the index, the value is encrypted with AES-CBC and an HMAC, a hash
// covers all values and supports adding and subtracting them, and the state and
// each patch have a MAC.

// stateKeys are derived from the one key that the phone shares.
type stateKeys struct{ index, value, valueMAC, snapshotMAC, patchMAC []byte }

func expandStateKey(key []byte) stateKeys {
	e := hkdfutil.SHA256(key, nil, []byte("WhatsApp Mutation Keys"), 160)
	return stateKeys{e[:32], e[32:64], e[64:96], e[96:128], e[128:]}
}

func macOf(alg func() hash.Hash, key []byte, parts ...[]byte) []byte {
	m := hmac.New(alg, key)
	for _, p := range parts {
		m.Write(p)
	}
	return m.Sum(nil)
}

func bigEndian(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func (k stateKeys) contentMAC(op waServerSync.SyncdMutation_SyncdOperation, keyID, content []byte) []byte {
	return macOf(sha512.New, k.valueMAC, []byte{byte(op) + 1}, keyID, content, bigEndian(uint64(len(keyID)+1)))[:32]
}

func valueMAC(m *waServerSync.SyncdMutation) []byte {
	blob := m.GetRecord().GetValue().GetBlob()
	return blob[len(blob)-32:]
}

// write adds a patch made on the phone.
func (s *appState) write(info appstate.PatchInfo) error {
	if info.Timestamp.IsZero() {
		info.Timestamp = s.account.srv.opts.Now()
	}
	patch := &waServerSync.SyncdPatch{KeyID: &waServerSync.KeyId{ID: s.keyID}}
	for _, m := range info.Mutations {
		m.Value.Timestamp = proto.Int64(info.Timestamp.UnixMilli())
		index, err := json.Marshal(m.Index)
		if err != nil {
			return err
		}
		plain, err := proto.Marshal(&waSyncAction.SyncActionData{Index: index, Value: m.Value, Padding: []byte{}, Version: &m.Version})
		if err != nil {
			return err
		}
		sealed, err := cbcutil.Encrypt(s.keys.value, nil, plain)
		if err != nil {
			return err
		}
		op := waServerSync.SyncdMutation_SET
		patch.Mutations = append(patch.Mutations, &waServerSync.SyncdMutation{
			Operation: &op,
			Record: &waServerSync.SyncdRecord{
				Index: &waServerSync.SyncdIndex{Blob: macOf(sha256.New, s.keys.index, index)},
				Value: &waServerSync.SyncdValue{Blob: append(sealed, s.keys.contentMAC(op, s.keyID, sealed)...)},
				KeyID: patch.KeyID,
			},
		})
	}
	next := s.collections[info.Type].after(patch)
	patch.SnapshotMAC = s.snapshotMAC(info.Type, next)
	if s.spoilPatch {
		patch.SnapshotMAC[0]++
	}
	patch.PatchMAC = s.patchMAC(info.Type, next.version, patch)
	return s.commit(info.Type, next, patch)
}

// accept adds a client's patch if it is valid.
func (s *appState) accept(name appstate.WAPatchName, raw []byte) error {
	patch := new(waServerSync.SyncdPatch)
	if err := proto.Unmarshal(raw, patch); err != nil {
		return err
	}
	if string(patch.GetKeyID().GetID()) != string(s.keyID) {
		return errors.New("it is under a key that the phone has not")
	}
	var changes []Change
	for i, m := range patch.GetMutations() {
		c, err := s.read(m)
		if err != nil {
			return fmt.Errorf("mutation %d: %w", i, err)
		}
		changes = append(changes, c)
	}
	next := s.collections[name].after(patch)
	if !hmac.Equal(patch.GetSnapshotMAC(), s.snapshotMAC(name, next)) {
		return errors.New("its state is not what follows from ours")
	}
	if !hmac.Equal(patch.GetPatchMAC(), s.patchMAC(name, next.version, patch)) {
		return errors.New("the MAC of the patch is wrong")
	}
	s.changes = append(s.changes, changes...)
	return s.commit(name, next, patch)
}

// read decrypts one mutation.
func (s *appState) read(m *waServerSync.SyncdMutation) (Change, error) {
	blob := m.GetRecord().GetValue().GetBlob()
	if len(blob) < 32+32 {
		return Change{}, errors.New("too short")
	}
	content := blob[:len(blob)-32]
	if !hmac.Equal(valueMAC(m), s.keys.contentMAC(m.GetOperation(), s.keyID, content)) {
		return Change{}, errors.New("the MAC of the value is wrong")
	}
	sealed := append([]byte(nil), content[16:]...) // Decrypt works in place
	plain, err := cbcutil.Decrypt(s.keys.value, content[:16], sealed)
	if err != nil {
		return Change{}, err
	}
	data := new(waSyncAction.SyncActionData)
	if err := proto.Unmarshal(plain, data); err != nil {
		return Change{}, err
	}
	if !hmac.Equal(m.GetRecord().GetIndex().GetBlob(), macOf(sha256.New, s.keys.index, data.GetIndex())) {
		return Change{}, errors.New("the MAC of the index is wrong")
	}
	c := Change{Value: data.GetValue()}
	return c, json.Unmarshal(data.GetIndex(), &c.Index)
}

// after returns the collection with the patch applied. The receiver is not changed.
func (col *collection) after(patch *waServerSync.SyncdPatch) *collection {
	next := &collection{version: col.version + 1, hash: col.hash, patches: col.patches, records: maps.Clone(col.records)}
	for _, m := range patch.GetMutations() {
		index := string(m.GetRecord().GetIndex().GetBlob())
		var gone, come [][]byte
		if old := next.records[index]; old != nil {
			blob := old.GetValue().GetBlob()
			gone = append(gone, blob[len(blob)-32:])
		}
		delete(next.records, index)
		if m.GetOperation() == waServerSync.SyncdMutation_SET {
			come = append(come, valueMAC(m))
			next.records[index] = m.GetRecord()
		}
		lthash.WAPatchIntegrity.SubtractThenAddInPlace(next.hash[:], gone, come)
	}
	return next
}

func (s *appState) snapshotMAC(name appstate.WAPatchName, col *collection) []byte {
	return macOf(sha256.New, s.keys.snapshotMAC, col.hash[:], bigEndian(col.version), []byte(name))
}

func (s *appState) patchMAC(name appstate.WAPatchName, version uint64, p *waServerSync.SyncdPatch) []byte {
	parts := [][]byte{p.GetSnapshotMAC()}
	for _, m := range p.GetMutations() {
		parts = append(parts, valueMAC(m))
	}
	return macOf(sha256.New, s.keys.patchMAC, append(parts, bigEndian(version), []byte(name))...)
}

func (s *appState) commit(name appstate.WAPatchName, next *collection, patch *waServerSync.SyncdPatch) error {
	patch.Version = &waServerSync.SyncdVersion{Version: &next.version}
	raw, err := proto.Marshal(patch)
	if err != nil {
		return err
	}
	next.patches = append(next.patches, raw)
	s.collections[name] = next
	return nil
}

// snapshot stores the whole collection as a file on the media host and returns a
// reference to that file.
func (s *appState) snapshot(name appstate.WAPatchName) ([]byte, error) {
	col := s.collections[name]
	whole := &waServerSync.SyncdSnapshot{
		Version: &waServerSync.SyncdVersion{Version: &col.version}, KeyID: &waServerSync.KeyId{ID: s.keyID},
		Mac: s.snapshotMAC(name, col),
	}
	if s.spoilWhole[name] {
		whole.Mac[0]++
	}
	for _, r := range col.records {
		whole.Records = append(whole.Records, r)
	}
	raw, err := proto.Marshal(whole)
	if err != nil {
		return nil, err
	}
	f := s.account.srv.Upload(raw, whatsmeow.MediaAppState)
	return proto.Marshal(&waServerSync.ExternalBlobReference{
		MediaKey: f.Key, DirectPath: &f.DirectPath, FileSizeBytes: &f.Length, FileSHA256: f.SHA256, FileEncSHA256: f.EncryptedSHA256,
	})
}
