package whatsapp

import (
	"context"
	"sync"

	"go.mau.fi/whatsmeow/store"
	"go.mau.fi/whatsmeow/types"
)

// contacts wraps the store of contacts. That store reads what it remembers of a contact
// without a lock, while whatsmeow writes a push name that has just come into it.
type contacts struct {
	store.ContactStore
	mu *sync.Mutex
}

// GetContact implements store.ContactStore.
func (k contacts) GetContact(ctx context.Context, user types.JID) (types.ContactInfo, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ContactStore.GetContact(ctx, user)
}

// GetAllContacts implements store.ContactStore.
func (k contacts) GetAllContacts(ctx context.Context) (map[types.JID]types.ContactInfo, error) {
	if only, ok := ctx.Value(receiversKey{}).(map[types.JID]types.ContactInfo); ok {
		return only, nil
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ContactStore.GetAllContacts(ctx)
}

// PutPushName implements store.ContactStore.
func (k contacts) PutPushName(ctx context.Context, user types.JID, name string) (changed bool, before string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ContactStore.PutPushName(ctx, user, name)
}

// PutBusinessName implements store.ContactStore.
func (k contacts) PutBusinessName(ctx context.Context, user types.JID, name string) (changed bool, before string, err error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ContactStore.PutBusinessName(ctx, user, name)
}

// PutContactName implements store.ContactStore.
func (k contacts) PutContactName(ctx context.Context, user types.JID, full, first string) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ContactStore.PutContactName(ctx, user, full, first)
}

// PutAllContactNames implements store.ContactStore.
func (k contacts) PutAllContactNames(ctx context.Context, all []store.ContactEntry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ContactStore.PutAllContactNames(ctx, all)
}

// PutManyRedactedPhones implements store.ContactStore.
func (k contacts) PutManyRedactedPhones(ctx context.Context, all []store.RedactedPhoneEntry) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.ContactStore.PutManyRedactedPhones(ctx, all)
}
