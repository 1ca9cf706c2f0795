package whatsapp

import (
	"context"
	"strings"
	"sync"

	"go.mau.fi/util/dbutil"
	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"

	"chatcast/models/seal"
)

// The columns of secrets in the tables of keys. Every other binary column is in
// publicColumns, with the reason; a test compares both with the tables.
var (
	deviceSecrets = seal.Column{Table: "whatsmeow_device", Name: "adv_key", Key: []string{"jid"}}
	preKey        = seal.Column{Table: "whatsapp_pre_keys", Name: "key", Key: []string{"device", "key_id"}}
	signalSession = seal.Column{Table: "whatsmeow_sessions", Name: "session", Key: []string{"our_jid", "their_id"}}
	senderKey     = seal.Column{Table: "whatsmeow_sender_keys", Name: "sender_key", Key: []string{"our_jid", "chat_id", "sender_id"}}
	appStateKey   = seal.Column{Table: "whatsmeow_app_state_sync_keys", Name: "key_data", Key: []string{"jid", "key_id"}}
	messageSecret = seal.Column{Table: "whatsmeow_message_secrets", Name: "key", Key: []string{"our_jid", "chat_jid", "sender_jid", "message_id"}}
	privacyToken  = seal.Column{Table: "whatsmeow_privacy_tokens", Name: "token", Key: []string{"our_jid", "their_jid"}}
	contactSalt   = seal.Column{Table: "whatsmeow_nct_salt", Name: "salt", Key: []string{"our_jid"}}
	sentMessage   = seal.Column{Table: "whatsmeow_retry_buffer", Name: "plaintext", Key: []string{"our_jid", "chat_jid", "message_id"}}
	bufferedEvent = seal.Column{Table: "whatsmeow_event_buffer", Name: "plaintext", Key: []string{"our_jid", "ciphertext_hash"}} // a message may carry keys

	// historySecret is text, so the sealed value is in base64.
	historySecret = seal.Column{Table: "whatsmeow_device", Name: "companion_meta_nonce", Key: []string{"jid"}}

	// sealedColumns have the same rows whether they are sealed or not. Those of
	// deviceSecrets and preKey differ, and historySecret is text.
	sealedColumns = []seal.Column{signalSession, senderKey, appStateKey, messageSecret, privacyToken, contactSalt, keptSalt, sentMessage, bufferedEvent, historyPart}
)

// sealedStore seals what whatsmeow stores for one device. It lists the methods of each
// store rather than embedding it: a method that a later whatsmeow adds must not pass by
// unsealed.
type sealedStore struct {
	c       *container
	device  string
	inner   innerStores
	lids    store.LIDStore
	preKeys sync.Mutex // one draws ids at a time

	mu    sync.Mutex
	moved map[string]bool // guarded by mu: numbers whose sessions are under the hidden id
}

// innerStores are whatsmeow's own stores of a device.
type innerStores interface {
	store.SessionStore
	store.SenderKeyStore
	store.AppStateSyncKeyStore
	store.MsgSecretStore
	store.PrivacyTokenStore
	store.NCTSaltStore
	store.EventBuffer
}

var (
	_ store.SessionStore         = (*sealedStore)(nil)
	_ store.PreKeyStore          = (*sealedStore)(nil)
	_ store.SenderKeyStore       = (*sealedStore)(nil)
	_ store.AppStateSyncKeyStore = (*sealedStore)(nil)
	_ store.MsgSecretStore       = (*sealedStore)(nil)
	_ store.PrivacyTokenStore    = (*sealedStore)(nil)
	_ store.NCTSaltStore         = (*sealedStore)(nil)
	_ store.EventBuffer          = (*sealedStore)(nil)
)

// sealStores puts sealed stores around those of a device that hold secrets.
func (c *container) sealStores(dev *store.Device) {
	s := &sealedStore{c: c, device: dev.ID.String(), inner: dev.Sessions.(innerStores), lids: dev.LIDs, moved: map[string]bool{}}
	dev.Sessions, dev.PreKeys, dev.SenderKeys, dev.AppStateKeys = s, s, s, s
	dev.MsgSecrets, dev.PrivacyTokens, dev.NCTSalt, dev.EventBuffer = s, s, s, s
}

func (s *sealedStore) seal(c seal.Column, value []byte, row ...string) []byte {
	return s.c.keys.Seal(c, value, append([]string{s.device}, row...)...)
}

func (s *sealedStore) open(c seal.Column, sealed []byte, row ...string) ([]byte, error) {
	return s.c.keys.Open(c, sealed, append([]string{s.device}, row...)...)
}

// GetSession implements store.SessionStore.
func (s *sealedStore) GetSession(ctx context.Context, address string) ([]byte, error) {
	sealed, err := s.inner.GetSession(ctx, address)
	if err != nil {
		return nil, err
	}
	return s.open(signalSession, sealed, address)
}

// HasSession implements store.SessionStore.
func (s *sealedStore) HasSession(ctx context.Context, address string) (bool, error) {
	return s.inner.HasSession(ctx, address)
}

// GetManySessions implements store.SessionStore.
func (s *sealedStore) GetManySessions(ctx context.Context, addresses []string) (map[string][]byte, error) {
	found, err := s.inner.GetManySessions(ctx, addresses)
	for address, sealed := range found {
		if err == nil {
			found[address], err = s.open(signalSession, sealed, address)
		}
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// PutSession implements store.SessionStore.
func (s *sealedStore) PutSession(ctx context.Context, address string, session []byte) error {
	return s.inner.PutSession(ctx, address, s.seal(signalSession, session, address))
}

// PutManySessions implements store.SessionStore.
func (s *sealedStore) PutManySessions(ctx context.Context, sessions map[string][]byte) error {
	sealed := make(map[string][]byte, len(sessions))
	for address, session := range sessions {
		sealed[address] = s.seal(signalSession, session, address)
	}
	return s.inner.PutManySessions(ctx, sealed)
}

// DeleteAllSessions implements store.SessionStore.
func (s *sealedStore) DeleteAllSessions(ctx context.Context, phone string) error {
	return s.inner.DeleteAllSessions(ctx, phone)
}

// DeleteSession implements store.SessionStore.
func (s *sealedStore) DeleteSession(ctx context.Context, address string) error {
	return s.inner.DeleteSession(ctx, address)
}

// PutSenderKey implements store.SenderKeyStore.
func (s *sealedStore) PutSenderKey(ctx context.Context, group, user string, key []byte) error {
	return s.inner.PutSenderKey(ctx, group, user, s.seal(senderKey, key, group, user))
}

// GetSenderKey implements store.SenderKeyStore.
func (s *sealedStore) GetSenderKey(ctx context.Context, group, user string) ([]byte, error) {
	sealed, err := s.inner.GetSenderKey(ctx, group, user)
	if err != nil {
		return nil, err
	}
	return s.open(senderKey, sealed, group, user)
}

// PutAppStateSyncKey implements store.AppStateSyncKeyStore.
func (s *sealedStore) PutAppStateSyncKey(ctx context.Context, id []byte, key store.AppStateSyncKey) error {
	key.Data = s.seal(appStateKey, key.Data, string(id))
	return s.inner.PutAppStateSyncKey(ctx, id, key)
}

// GetAppStateSyncKey implements store.AppStateSyncKeyStore.
func (s *sealedStore) GetAppStateSyncKey(ctx context.Context, id []byte) (*store.AppStateSyncKey, error) {
	key, err := s.inner.GetAppStateSyncKey(ctx, id)
	if key == nil || err != nil {
		return nil, err
	}
	key.Data, err = s.open(appStateKey, key.Data, string(id))
	if err != nil {
		return nil, err
	}
	return key, nil
}

// GetAllAppStateSyncKeys implements store.AppStateSyncKeyStore. The inner store does not
// tell the ids of the keys, which are part of what they are sealed for.
func (s *sealedStore) GetAllAppStateSyncKeys(ctx context.Context) ([]*store.AppStateSyncKey, error) {
	rows, err := s.c.db.Query(ctx, `SELECT key_id, key_data, timestamp, fingerprint FROM whatsmeow_app_state_sync_keys
		WHERE jid=$1 ORDER BY timestamp DESC`, s.device)
	return dbutil.NewRowIterWithError(rows, func(row dbutil.Scannable) (*store.AppStateSyncKey, error) {
		var id []byte
		var key store.AppStateSyncKey
		if err := row.Scan(&id, &key.Data, &key.Timestamp, &key.Fingerprint); err != nil {
			return nil, err
		}
		var err error
		key.Data, err = s.open(appStateKey, key.Data, string(id))
		return &key, err
	}, err).AsList()
}

// GetLatestAppStateSyncKeyID implements store.AppStateSyncKeyStore.
func (s *sealedStore) GetLatestAppStateSyncKeyID(ctx context.Context) ([]byte, error) {
	return s.inner.GetLatestAppStateSyncKeyID(ctx)
}

// MigratePNToLID implements store.SessionStore. whatsmeow copies the values of a number to
// rows of the hidden id. They were sealed for the number's rows, so they are sealed again.
func (s *sealedStore) MigratePNToLID(ctx context.Context, number, hidden types.JID) error {
	from, to := number.SignalAddressUser(), hidden.SignalAddressUser()
	s.mu.Lock()
	moved := s.moved[from]
	s.mu.Unlock()
	if moved {
		return nil
	}
	err := s.c.db.DoTxn(ctx, nil, func(ctx context.Context) error {
		rows, err := s.rowsOf(ctx, from)
		if err != nil {
			return err
		}
		if err := s.inner.MigratePNToLID(ctx, number, hidden); err != nil {
			return err
		}
		left, err := s.rowsOf(ctx, from)
		if err != nil || len(left) > 0 { // whatsmeow had moved them once, and does it only once
			return err
		}
		for _, row := range rows {
			if err := s.move(ctx, row, from, to); err != nil {
				return err
			}
		}
		return nil
	})
	if err == nil {
		s.mu.Lock()
		s.moved[from] = true
		s.mu.Unlock()
	}
	return err
}

// ofAddress is a sealed session, or the sealed key of a sender in a group.
type ofAddress struct {
	group, address string // group is empty for a session
	sealed         []byte
}

// rowsOf lists what is stored under the addresses of a user.
func (s *sealedStore) rowsOf(ctx context.Context, user string) ([]ofAddress, error) {
	rows, err := s.c.db.Query(ctx, `SELECT '', their_id, session FROM whatsmeow_sessions WHERE our_jid=$1 AND their_id LIKE $2 || ':%'
		UNION ALL SELECT chat_id, sender_id, sender_key FROM whatsmeow_sender_keys WHERE our_jid=$1 AND sender_id LIKE $2 || ':%'`, s.device, user)
	return dbutil.NewRowIterWithError(rows, func(row dbutil.Scannable) (r ofAddress, err error) {
		err = row.Scan(&r.group, &r.address, &r.sealed)
		return r, err
	}, err).AsList()
}

func (s *sealedStore) move(ctx context.Context, row ofAddress, from, to string) error {
	address := strings.ReplaceAll(row.address, from, to)
	if row.group == "" {
		session, err := s.open(signalSession, row.sealed, row.address)
		if err != nil {
			return err
		}
		return s.PutSession(ctx, address, session)
	}
	key, err := s.open(senderKey, row.sealed, row.group, row.address)
	if err != nil {
		return err
	}
	return s.PutSenderKey(ctx, row.group, address, key)
}
