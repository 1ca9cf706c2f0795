package whatsapp

import (
	"context"
	"slices"

	"go.mau.fi/whatsmeow/types"

	"chatcast/crm"
	"chatcast/crm/whatsapp/content"
)

var _ crm.NumberChecker = (*Messenger)(nil)

// checkBatch is about how many numbers WhatsApp is asked in one question.
const checkBatch = 50

func (m *Messenger) checkNumbers(ctx context.Context, l crm.Line, numbers []string, begin func() error) (map[string]crm.CheckedNumber, error) {
	checked := map[string]crm.CheckedNumber{}
	return checked, m.ask(ctx, l, func(q asked) error {
		if err := begin(); err != nil {
			return err
		}
		for some := range slices.Chunk(numbers, checkBatch) {
			found, err := lookUpAll(q.ctx, q.cli, some)
			if err != nil {
				return err
			}
			for number, f := range found {
				k := crm.CheckedNumber{Exists: f.exists, BusinessName: f.business}
				if f.exists {
					k.Phone = f.PN.User
				}
				if !f.LID.IsEmpty() {
					k.LID = chatID(f.LID)
				}
				checked[number] = k
			}
		}
		return nil
	})
}

// verifiedName returns the name of a business that WhatsApp has verified, or "".
func verifiedName(n *types.VerifiedName) string {
	if n == nil {
		return ""
	}
	return content.Name(n.Details.GetVerifiedName())
}
