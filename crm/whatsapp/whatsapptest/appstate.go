package whatsapptest

import (
	"context"
	"encoding/binary"
	"slices"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waE2E"
	"go.mau.fi/whatsmeow/proto/waServerSync"
	"go.mau.fi/whatsmeow/proto/waSyncAction"
	"go.mau.fi/whatsmeow/types"
	"google.golang.org/protobuf/proto"
)

// App state is what the devices of an account share: labels, archived chats, names.
// It consists of five collections, each a log of encrypted patches with versions.
//
//	phone or client                       server                other clients
//	  iq set: a patch on version n  ----->
//	                                <-----  version n+1
//	                                        (409 and what is missing, if n is old)
//	                                        notification server_sync ----->
//	                                                  <-----  iq: patches since n
//	                                        snapshot, or patches     ----->

// appState belongs to an account. The phone owns its key.
type appState struct {
	account     *Account
	keyID       []byte
	key         []byte
	keys        stateKeys
	collections map[appstate.WAPatchName]*collection
	changes     []Change

	spoilPatch       bool                          // the next patch cannot be verified
	spoilWhole       map[appstate.WAPatchName]bool // whose snapshots cannot be verified
	copies           int                           // how often the phone was asked for one
	requests         int                           // StateRequests
	wholeRefusal     int                           // the code that a whole collection is refused with
	refusal, refused int                           // the code that clients' patches are refused with, and how many were
	refusedIndex     []string
}

// collection is one log. A real server could not read its content, but the phone
// can, and both live in this program.
type collection struct {
	version uint64
	hash    [128]byte
	patches [][]byte // patches[i] leads to version i+1
	records map[string]*waServerSync.SyncdRecord
}

// Change is one change of the app state by a client.
type Change struct {
	Index []string
	Value *waSyncAction.SyncActionValue
}

func newAppState(a *Account) *appState {
	s := &appState{account: a, keyID: binary.BigEndian.AppendUint32([]byte{0, 0}, randomUint32()&0xffff|1), key: randomBytes(32)}
	s.keys = expandStateKey(s.key)
	s.collections, s.spoilWhole = make(map[appstate.WAPatchName]*collection), make(map[appstate.WAPatchName]bool)
	for _, name := range appstate.AllPatchNames {
		s.collections[name] = &collection{records: make(map[string]*waServerSync.SyncdRecord)}
	}
	return s
}

// keyShare returns the message in which the phone gives its key to a client.
func (s *appState) keyShare() *waE2E.ProtocolMessage {
	return &waE2E.ProtocolMessage{
		Type: waE2E.ProtocolMessage_APP_STATE_SYNC_KEY_SHARE.Enum(),
		AppStateSyncKeyShare: &waE2E.AppStateSyncKeyShare{Keys: []*waE2E.AppStateSyncKey{{
			KeyID: &waE2E.AppStateSyncKeyId{KeyID: s.keyID},
			KeyData: &waE2E.AppStateSyncKeyData{
				KeyData: s.key, Timestamp: proto.Int64(s.account.srv.opts.Now().UnixMilli()),
				Fingerprint: &waE2E.AppStateSyncKeyFingerprint{RawID: proto.Uint32(1), CurrentIndex: proto.Uint32(0), DeviceIndexes: []uint32{0}},
			},
		}}},
	}
}

// Change changes the app state on the phone. whatsmeow's appstate package builds
// patches: BuildLabelEdit, BuildLabelChat, BuildArchive, BuildPin, BuildMute,
// BuildMarkChatAsRead, BuildStar and others.
func (a *Account) Change(patch appstate.PatchInfo) {
	defer a.srv.lock()()
	a.change(patch)
}

func (a *Account) change(patch appstate.PatchInfo) {
	if err := a.appState.write(patch); err != nil {
		a.srv.note("a change of the app state: %v", err)
		return
	}
	a.announce(patch.Type, nil)
}

func (a *Account) setPushName(name string) { a.change(appstate.BuildSettingPushName(name)) }

// SaveContact saves a name in the phone's address book.
func (a *Account) SaveContact(who types.JID, first, full string) {
	a.Change(appstate.PatchInfo{Type: appstate.WAPatchCriticalUnblockLow, Mutations: []appstate.MutationInfo{{
		Index: []string{appstate.IndexContact, who.String()}, Version: 2,
		Value: &waSyncAction.SyncActionValue{ContactAction: &waSyncAction.ContactAction{FirstName: &first, FullName: &full}},
	}}})
}

// SaveHidden saves a person without a number in the phone's address book.
func (a *Account) SaveHidden(who types.JID, full, username string) {
	a.Change(appstate.PatchInfo{Type: appstate.WAPatchCriticalUnblockLow, Mutations: []appstate.MutationInfo{{
		Index: []string{appstate.IndexLIDContact, who.String()}, Version: 1,
		Value: &waSyncAction.SyncActionValue{LidContactAction: &waSyncAction.LidContactAction{FullName: &full, Username: &username}},
	}}})
}

// announce notifies all clients of a new version, except the author of the change.
func (a *Account) announce(name appstate.WAPatchName, author *Device) {
	for _, d := range a.linked() {
		if d != author {
			d.push(node{Tag: "notification", Attrs: attrs{
				"from": types.ServerJID, "type": "server_sync", "id": a.srv.nextID(), "t": a.srv.opts.Now().Unix(),
			}, Content: []node{{Tag: "collection", Attrs: attrs{
				"name": string(name), "version": a.appState.collections[name].version,
			}}}})
		}
	}
}

func (c *conn) iqAppState(n node) ([]node, error) {
	list, ok := child(n, "sync")
	if !ok {
		return nil, errUnknown
	}
	var out []node
	for _, asked := range list.GetChildren() {
		answer, err := c.device.account.appState.answer(c.device, asked)
		if err != nil {
			return nil, err
		}
		out = append(out, answer)
	}
	return []node{{Tag: "sync", Content: out}}, nil
}

func (s *appState) answer(d *Device, asked node) (node, error) {
	name := appstate.WAPatchName(stringOf(asked, "name"))
	col := s.collections[name]
	if col == nil {
		return node{}, errNotFound
	}
	getter := asked.AttrGetter()
	known, wantsAll := uint64(getter.OptionalInt("version")), getter.OptionalBool("return_snapshot")
	answer := node{Tag: "collection", Attrs: attrs{"name": string(name), "version": col.version}}
	if patch := bytesOf(asked, "patch"); patch != nil {
		if s.refuses(patch) {
			s.refused++
			return node{}, refusedWith(s.refusal)
		}
		if known != col.version {
			answer.Attrs["type"] = "error"
			answer.Content = []node{
				{Tag: "error", Attrs: attrs{"code": 409, "text": "conflict"}}, {Tag: "patches", Content: col.since(known)},
			}
			return answer, nil
		}
		if err := s.accept(name, patch); err != nil {
			s.account.srv.note("a client's patch of %s: %v", name, err)
			return node{}, errBadRequest
		}
		answer.Attrs["version"] = col.version
		s.account.announce(name, d)
		return answer, nil
	}
	if wantsAll && s.wholeRefusal != 0 {
		return node{}, refusedWith(s.wholeRefusal)
	}
	if wantsAll && col.version > 0 {
		snapshot, err := s.snapshot(name)
		if err != nil {
			return node{}, err
		}
		answer.Content = []node{{Tag: "snapshot", Content: snapshot}}
		return answer, nil
	}
	if patches := col.since(known); len(patches) > 0 {
		answer.Content = []node{{Tag: "patches", Content: patches}}
	}
	return answer, nil
}

func (col *collection) since(version uint64) []node {
	var out []node
	for _, p := range col.patches[min(version, uint64(len(col.patches))):] {
		out = append(out, node{Tag: "patch", Content: p})
	}
	return out
}

// Changes returns the changes that clients made, in order.
func (a *Account) Changes() []Change {
	a.srv.mu.Lock()
	defer a.srv.mu.Unlock()
	return slices.Clone(a.appState.changes)
}

// AwaitChange returns the first change by a client, past or future, whose index
// starts with the given strings.
func (a *Account) AwaitChange(ctx context.Context, index ...string) (Change, error) {
	var found Change
	err := a.srv.wait(ctx, "a change of the app state", func() bool {
		for _, c := range a.appState.changes {
			if len(c.Index) >= len(index) && slices.Equal(c.Index[:len(index)], index) {
				found = c
				return true
			}
		}
		return false
	})
	return found, err
}
