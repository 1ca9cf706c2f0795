package whatsapptest

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"

	"go.mau.fi/whatsmeow/appstate"
	"go.mau.fi/whatsmeow/proto/waServerSync"
	"go.mau.fi/whatsmeow/types"
	"go.mau.fi/whatsmeow/util/keys"
	"google.golang.org/protobuf/proto"
)

// savedServer is the state of a server that outlives it: people, all keys and Signal
// sessions, the linked devices, the app state and the groups. A client's database fits
// only the state of the server that the client was linked to, so both are kept to test a
// later version with the database of an earlier one. Messages, media and what waits for
// a client are not part of it.
type savedServer struct {
	People    []savedPerson
	Groups    []savedGroup
	LastGroup int
}

type savedPerson struct {
	Phone, Hidden, Name string
	Party               savedParty
	Account             *savedAccount `json:",omitempty"` // nil: a contact
}

type savedParty struct {
	Identity     []byte // the private key
	Signed       savedKey
	Registration uint32
	LastPreKey   uint32
	PreKeys      []savedKey
	Sessions     map[string][]byte
	SenderKeys   map[string][]byte
}

// savedKey is a prekey of a party, with its private key, or of a device, without.
type savedKey struct {
	ID        uint32
	Private   []byte `json:",omitempty"`
	Public    []byte `json:",omitempty"`
	Signature []byte `json:",omitempty"`
}

type savedAccount struct {
	Business    string
	LastDevice  uint16
	Devices     []savedDevice
	KeyID, Key  []byte // of the app state
	Collections map[appstate.WAPatchName]savedCollection
}

type savedDevice struct {
	Number, Hidden  types.JID
	Platform        string
	Noise, Identity []byte
	Signed          savedKey
	Registration    uint32
	PreKeys         []savedKey
	Welcomed        bool
}

type savedCollection struct {
	Version uint64
	Hash    []byte
	Patches [][]byte
	Records [][]byte
}

type savedGroup struct {
	JID     types.JID
	Name    string
	ByLID   bool
	Members []savedMember // the first one is the owner
	Keyed   []string
}

type savedMember struct{ Phone, Rank string }

// Save writes the state for Restore. No client should be connected.
func (s *Server) Save(w io.Writer) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := savedServer{LastGroup: s.lastGroup}
	for jid, p := range s.people {
		if jid == p.number {
			one := savedPerson{Phone: p.number.User, Hidden: p.hidden.User, Name: p.name, Party: saveParty(p.party)}
			if p.account != nil {
				var err error
				if one.Account, err = saveAccount(p.account); err != nil {
					return err
				}
			}
			out.People = append(out.People, one)
		}
	}
	slices.SortFunc(out.People, func(a, b savedPerson) int { return cmp.Compare(a.Phone, b.Phone) })
	for _, g := range s.groups {
		out.Groups = append(out.Groups, saveGroup(g))
	}
	slices.SortFunc(out.Groups, func(a, b savedGroup) int { return cmp.Compare(a.JID.User, b.JID.User) })
	return json.NewEncoder(w).Encode(out)
}

// Restore adds what Save wrote to a server that has just been started. Account and
// Contact find the people.
func (s *Server) Restore(r io.Reader) error {
	var in savedServer
	if err := json.NewDecoder(r).Decode(&in); err != nil {
		return fmt.Errorf("the state of the server: %w", err)
	}
	defer s.lock()()
	s.lastGroup = in.LastGroup
	for _, one := range in.People {
		p := s.newPerson(one.Phone, one.Hidden, one.Name)
		p.party = restoreParty(one.Party)
		if one.Account != nil {
			if err := s.restoreAccount(p, one.Account); err != nil {
				return err
			}
		}
	}
	for _, g := range in.Groups {
		if err := s.restoreGroup(g); err != nil {
			return err
		}
	}
	return nil
}

// Account returns the account with the number, or nil.
func (s *Server) Account(phone string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[types.NewJID(phone, types.DefaultUserServer)]; p != nil {
		return p.account
	}
	return nil
}

// Contact returns the contact with the number, or nil.
func (s *Server) Contact(phone string) *Contact {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p := s.people[types.NewJID(phone, types.DefaultUserServer)]; p != nil && p.account == nil {
		return &Contact{p}
	}
	return nil
}

// Group returns the group, or nil.
func (s *Server) Group(jid types.JID) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.groups[jid]
}

func saveParty(p *party) savedParty {
	out := savedParty{
		Identity: p.identity.Priv[:], Registration: p.registration, LastPreKey: p.lastPreKey,
		Signed: savedKey{ID: p.signed.KeyID, Private: p.signed.Priv[:], Signature: p.signed.Signature[:]}, Sessions: p.sessions, SenderKeys: p.senderKeys,
	}
	for _, id := range slices.Sorted(maps.Keys(p.preKeys)) {
		out.PreKeys = append(out.PreKeys, savedKey{ID: id, Private: p.preKeys[id].Priv[:]})
	}
	return out
}

func restoreParty(in savedParty) *party {
	p := newParty()
	p.identity, p.registration, p.lastPreKey = keys.NewKeyPairFromPrivateKey([32]byte(in.Identity)), in.Registration, in.LastPreKey
	p.signed = in.Signed.restore()
	for _, k := range in.PreKeys {
		p.preKeys[k.ID] = k.restore()
	}
	maps.Copy(p.sessions, in.Sessions)
	maps.Copy(p.senderKeys, in.SenderKeys)
	return p
}

func (k savedKey) restore() *keys.PreKey {
	out := &keys.PreKey{KeyID: k.ID}
	if k.Private != nil {
		out.KeyPair = *keys.NewKeyPairFromPrivateKey([32]byte(k.Private))
	} else {
		out.Pub = (*[32]byte)(k.Public)
	}
	if k.Signature != nil {
		out.Signature = (*[64]byte)(k.Signature)
	}
	return out
}

func saveAccount(a *Account) (*savedAccount, error) {
	out := &savedAccount{
		Business: a.business, LastDevice: a.lastDevice, KeyID: a.appState.keyID, Key: a.appState.key,
		Collections: make(map[appstate.WAPatchName]savedCollection),
	}
	for _, d := range a.linked() {
		one := savedDevice{
			Number: d.number, Hidden: d.hidden, Platform: d.platform, Noise: d.noise[:], Identity: d.identity[:], Registration: d.registration,
			Signed: savedKey{ID: d.signed.KeyID, Public: d.signed.Pub[:], Signature: d.signed.Signature[:]}, Welcomed: d.welcomed,
		}
		for _, k := range d.preKeys {
			one.PreKeys = append(one.PreKeys, savedKey{ID: k.KeyID, Public: k.Pub[:]})
		}
		out.Devices = append(out.Devices, one)
	}
	for name, col := range a.appState.collections {
		one := savedCollection{Version: col.version, Hash: col.hash[:], Patches: col.patches}
		for _, index := range slices.Sorted(maps.Keys(col.records)) {
			record, err := proto.Marshal(col.records[index])
			if err != nil {
				return nil, err
			}
			one.Records = append(one.Records, record)
		}
		out.Collections[name] = one
	}
	return out, nil
}

func (s *Server) restoreAccount(p *person, in *savedAccount) error {
	a := newAccount(p)
	a.business, a.lastDevice = in.Business, in.LastDevice
	for _, d := range in.Devices {
		one := &Device{
			account: a, number: d.Number, hidden: d.Hidden, platform: d.Platform, noise: [32]byte(d.Noise), identity: [32]byte(d.Identity),
			signed: d.Signed.restore(), registration: d.Registration, welcomed: d.Welcomed, sent: make(map[string]bool),
		}
		for _, k := range d.PreKeys {
			one.preKeys = append(one.preKeys, k.restore())
		}
		a.devices[d.Number.Device] = one
	}
	a.appState.keyID, a.appState.key, a.appState.keys = in.KeyID, in.Key, expandStateKey(in.Key)
	for name, c := range in.Collections {
		col := a.appState.collections[name]
		if col == nil {
			return fmt.Errorf("a collection %q", name)
		}
		col.version, col.hash, col.patches = c.Version, [128]byte(c.Hash), c.Patches
		for _, raw := range c.Records {
			record := new(waServerSync.SyncdRecord)
			if err := proto.Unmarshal(raw, record); err != nil {
				return err
			}
			col.records[string(record.GetIndex().GetBlob())] = record
		}
	}
	return nil
}

func saveGroup(g *Group) savedGroup {
	out := savedGroup{JID: g.jid, Name: g.name, ByLID: g.byLID, Keyed: slices.Sorted(maps.Keys(g.keyed))}
	for _, m := range g.members {
		out.Members = append(out.Members, savedMember{m.number.User, m.rank})
	}
	return out
}

func (s *Server) restoreGroup(in savedGroup) error {
	g := &Group{srv: s, jid: in.JID, name: in.Name, byLID: in.ByLID, created: s.opts.Now(), keyed: make(map[string]bool)}
	for _, m := range in.Members {
		p := s.people[types.NewJID(m.Phone, types.DefaultUserServer)]
		if p == nil {
			return fmt.Errorf("the member %s of group %s is nobody", m.Phone, in.Name)
		}
		g.members = append(g.members, &member{p, m.Rank})
	}
	g.owner = g.members[0].person
	for _, known := range in.Keyed {
		g.keyed[known] = true
	}
	s.groups[g.jid] = g
	return nil
}
