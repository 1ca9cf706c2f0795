package crm

import (
	"context"

	"chatcast/models"
)

// LevelData is a level as responses show it.
type LevelData struct {
	ID   int64  `json:"id"`
	Name string `json:"name"`
	Sort int64  `json:"sort"`
}

func levelData(l models.Level) LevelData { return LevelData{ID: l.ID, Name: l.Name, Sort: l.Sort} }

// Levels lists a company's levels by sort and id. companyID 0 means the actor's only
// company.
func (s *Service) Levels(ctx context.Context, a Actor, companyID int64, q PageQuery) (Page[LevelData], error) {
	after, limit, err := q.start("levels", 2)
	if err != nil {
		return Page[LevelData]{}, err
	}
	tx := s.Store.Read(ctx)
	e, err := employment(tx, a, companyID)
	if err != nil {
		return Page[LevelData]{}, err
	}
	rows, err := tx.Levels(e.CompanyID, sortKey(after), limit+1)
	if err != nil {
		return Page[LevelData]{}, err
	}
	return pageOf("levels", rows, limit, func(l models.Level) []int64 { return []int64{l.Sort, l.ID} }, levelData), nil
}

// Level returns a level of a company that the actor works for.
func (s *Service) Level(ctx context.Context, a Actor, id int64) (LevelData, error) {
	tx := s.Store.Read(ctx)
	l, err := tx.Level(id)
	if err != nil {
		return LevelData{}, orNotFound(err, "level")
	}
	if err := member(tx, a, l.CompanyID, "level"); err != nil {
		return LevelData{}, err
	}
	return levelData(*l), nil
}

// CreateLevel creates a level. Only owners and admins may do so.
func (s *Service) CreateLevel(ctx context.Context, a Actor, in NamedInput) (data LevelData, err error) {
	err = s.change(ctx, func(c *change) error {
		e, err := requireCatalogueAdmin(c.tx, a, in.CompanyID)
		if err != nil {
			return err
		}
		l := models.Level{CompanyID: e.CompanyID, Sort: defaultSort}
		if _, err := in.apply(&l.Name, &l.Sort, true); err != nil {
			return err
		}
		if err := c.tx.CreateLevel(&l); err != nil {
			return err
		}
		data = levelData(l)
		return nil
	})
	return data, err
}

// EditLevel changes a level. Only owners and admins may do so.
func (s *Service) EditLevel(ctx context.Context, a Actor, id int64, in NamedInput) (data LevelData, err error) {
	err = s.change(ctx, func(c *change) error {
		l, err := levelToChange(c.tx, a, id)
		if err != nil {
			return err
		}
		changed, err := in.apply(&l.Name, &l.Sort, false)
		data = levelData(*l)
		if err != nil || !changed {
			return err
		}
		return c.tx.SaveLevel(l)
	})
	return data, err
}

// DeleteLevel deletes a level. It clears the level of every chat that has it and emits
// chatLevel for each. Like DeleteTag, it handles many chats in several transactions.
func (s *Service) DeleteLevel(ctx context.Context, a Actor, id int64) error {
	return s.untilDone(ctx, func(c *change) (done bool, err error) {
		if _, err := levelToChange(c.tx, a, id); err != nil { // locked, so that no chat gets it meanwhile
			return false, err
		}
		chats, err := c.tx.LockChatsWithLevel(id, deleteBatch)
		if err != nil {
			return false, err
		}
		for i := range chats {
			if err := c.setLevel(a, &chats[i], nil); err != nil {
				return false, err
			}
		}
		used, err := c.tx.LevelInUse(id)
		if err != nil || used {
			return false, err
		}
		return true, c.tx.DeleteLevel(id)
	})
}

// levelToChange locks and returns a level that the actor may change.
func levelToChange(tx *models.Tx, a Actor, id int64) (*models.Level, error) {
	l, err := tx.LockLevel(id)
	if err != nil {
		return nil, orNotFound(err, "level")
	}
	return l, mayKeep(tx, a, l.CompanyID, "level")
}
