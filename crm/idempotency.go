package crm

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"chatcast/models"
)

// KeyLife is how long an Idempotency-Key is remembered, in seconds.
const KeyLife = 24 * 60 * 60

const maxKey = 255 // bytes of an Idempotency-Key

// once is changeWithRetry for a request that sends something and may have an
// Idempotency-Key (empty: none). f fills answer. When the key was used before with the
// same request, once changes nothing and fills answer with the first answer; with
// another request it returns CodeConflict. Requests are compared as JSON.
func (s *Service) once(ctx context.Context, a Actor, key string, request, answer any, f func(c *change) error) error {
	if key == "" {
		return s.changeWithRetry(ctx, f)
	}
	if err := checkKey(key); err != nil {
		return err
	}
	asked, err := json.Marshal(request)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(asked)
	return s.changeWithRetry(ctx, func(c *change) error {
		row := &models.IdempotencyKey{UserID: a.UserID, Key: key, RequestHash: hex.EncodeToString(sum[:]), CreatedAt: c.now.Unix()}
		added, err := c.tx.TakeKey(row, c.now.Unix()-KeyLife)
		if err != nil {
			return err
		}
		if !added {
			return c.again(row, answer)
		}
		if err := f(c); err != nil {
			return err
		}
		given, err := json.Marshal(answer)
		if err != nil {
			return err
		}
		row.Response = string(given)
		return c.tx.SaveKey(row)
	})
}

func checkKey(key string) error {
	const field = "Idempotency-Key"
	if len(key) > maxKey {
		return Invalid(field, "is longer than %d bytes", maxKey)
	}
	for i := 0; i < len(key); i++ {
		if key[i] < ' ' || key[i] > '~' {
			return Invalid(field, "may hold only printable ASCII characters")
		}
	}
	return nil
}

// again fills answer with the stored answer of a used key.
func (c *change) again(row *models.IdempotencyKey, answer any) error {
	used, err := c.tx.UsedKey(row.UserID, row.Key)
	if err != nil {
		return err
	}
	if used.RequestHash != row.RequestHash {
		return conflict("this Idempotency-Key was used for another request")
	}
	return json.Unmarshal([]byte(used.Response), answer)
}
