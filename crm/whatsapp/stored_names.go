package whatsapp

import (
	"context"

	"go.mau.fi/whatsmeow"
	"go.mau.fi/whatsmeow/types"

	"chatcast/crm/whatsapp/content"
)

// savedName returns the name under which the account's owner saved a person, or "". It may
// be older than the chat.
func (s *session) savedName(ctx context.Context, cli *whatsmeow.Client, who pair) string {
	return storedName(ctx, cli, who, func(k types.ContactInfo) string { return content.Name(k.FullName, k.FirstName) })
}

// chosenName returns the name that a person chose, as everybody reads it in groups, or "".
// Under which name the owner saved the person is for those who see the contact.
func (s *session) chosenName(ctx context.Context, cli *whatsmeow.Client, who pair) string {
	return storedName(ctx, cli, who, func(k types.ContactInfo) string { return content.Name(k.PushName, k.BusinessName) })
}

func storedName(ctx context.Context, cli *whatsmeow.Client, who pair, of func(types.ContactInfo) string) string {
	for _, j := range []types.JID{who.PN, who.LID} {
		if j.IsEmpty() {
			continue
		}
		if k, err := cli.Store.Contacts.GetContact(ctx, j); err == nil && k.Found {
			if name := of(k); name != "" {
				return name
			}
		}
	}
	return ""
}
