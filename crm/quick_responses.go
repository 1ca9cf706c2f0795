package crm

import (
	"context"
	"slices"

	"chatcast/models"
)

// Limits of a quick response.
const (
	maxQuickText     = 65536 // characters
	maxQuickKeywords = 1000  // characters
	maxQuickDelete   = 1000  // responses deleted at once
)

// QuickResponseInput describes a response to create, or a change of one. In a change,
// fields that are not given stay as they are.
type QuickResponseInput struct {
	Name     Field[string] `json:"name"`
	Sort     Field[int64]  `json:"sort"`   // 100 when absent
	Parent   Field[int64]  `json:"parent"` // another response of the list; null: at the top
	Text     Field[string] `json:"text"`
	Keywords Field[string] `json:"keywords"` // separated by spaces
	EnableAI Field[bool]   `json:"enableAI"`
}

func (in QuickResponseInput) check(creating bool) error {
	textViolation, keywordsViolation := in.Text.notNull("text"), in.Keywords.notNull("keywords")
	if textViolation == nil {
		textViolation = checkText("text", in.Text.Value, maxQuickText)
	}
	if keywordsViolation == nil {
		keywordsViolation = checkText("keywords", in.Keywords.Value, maxQuickKeywords)
	}
	return allViolations(checkNamed(in.Name, in.Sort, creating), textViolation, keywordsViolation, in.EnableAI.notNull("enableAI"))
}

// QuickResponses lists the responses of a list that the actor may see, by sort
// and id.
func (s *Service) QuickResponses(ctx context.Context, a Actor, listID int64, q PageQuery) (Page[QuickResponseData], error) {
	after, limit, err := q.start("quickResponses", 2)
	if err != nil {
		return Page[QuickResponseData]{}, err
	}
	tx := s.Store.Read(ctx)
	if _, err := tx.QuickList(a.UserID, listID); err != nil {
		return Page[QuickResponseData]{}, orNotFound(err, "quick response list")
	}
	rows, err := tx.QuickResponses(listID, sortKey(after), limit+1)
	if err != nil {
		return Page[QuickResponseData]{}, err
	}
	return pageOf("quickResponses", rows, limit,
		func(r models.QuickResponse) []int64 { return []int64{r.Sort, r.ID} }, quickResponseData), nil
}

// QuickResponse returns one response of a list that the actor may see.
func (s *Service) QuickResponse(ctx context.Context, a Actor, listID, id int64) (QuickResponseData, error) {
	tx := s.Store.Read(ctx)
	if _, err := tx.QuickList(a.UserID, listID); err != nil {
		return QuickResponseData{}, orNotFound(err, "quick response list")
	}
	r, err := tx.QuickResponse(listID, id)
	if err != nil {
		return QuickResponseData{}, orNotFound(err, "quick response")
	}
	return quickResponseData(*r), nil
}

// CreateQuickResponse adds a response to a list that the actor may write.
func (s *Service) CreateQuickResponse(ctx context.Context, a Actor, listID int64, in QuickResponseInput) (data QuickResponseData, err error) {
	err = s.change(ctx, func(c *change) error {
		l, err := c.writableList(a, listID)
		if err != nil {
			return err
		}
		if err := in.check(true); err != nil {
			return err
		}
		r := &models.QuickResponse{ListID: listID, Sort: defaultSort}
		if _, err := in.apply(c.tx, r); err != nil {
			return err
		}
		if err := c.tx.CreateQuickResponse(r); err != nil {
			return err
		}
		data = quickResponseData(*r)
		return c.tellReaders(l, QuickResponseItem{Type: TypeCreate, List: IDRef{listID}, Response: data})
	})
	return data, err
}

// EditQuickResponse changes a response of a list that the actor may write.
func (s *Service) EditQuickResponse(ctx context.Context, a Actor, listID, id int64, in QuickResponseInput) (data QuickResponseData, err error) {
	err = s.change(ctx, func(c *change) error {
		l, err := c.writableList(a, listID)
		if err != nil {
			return err
		}
		r, err := c.tx.QuickResponse(listID, id)
		if err != nil {
			return orNotFound(err, "quick response")
		}
		if err := in.check(false); err != nil {
			return err
		}
		changed, err := in.apply(c.tx, r)
		if err != nil {
			return err
		}
		data = quickResponseData(*r)
		if !changed {
			return nil
		}
		if err := c.tx.SaveQuickResponse(r); err != nil {
			return err
		}
		return c.tellReaders(l, QuickResponseItem{Type: TypeEdit, List: IDRef{listID}, Response: data})
	})
	return data, err
}

// DeleteQuickResponses deletes responses of a list that the actor may write: all of
// ids, or none when one of them does not exist. The children of a deleted response move
// to the top. One event reports the deletion; an edit event for each moved child
// follows.
func (s *Service) DeleteQuickResponses(ctx context.Context, a Actor, listID int64, ids []int64) error {
	return s.change(ctx, func(c *change) error {
		l, err := c.writableList(a, listID)
		if err != nil {
			return err
		}
		if len(ids) == 0 || len(ids) > maxQuickDelete {
			return Invalid("ids", "must hold 1 to %d ids", maxQuickDelete)
		}
		var deleted []any
		var unique []int64
		for _, id := range ids {
			if !slices.Contains(unique, id) {
				unique = append(unique, id)
				deleted = append(deleted, QuickResponseDeletedItem{Type: TypeDestroy, List: IDRef{listID}, Response: IDRef{id}})
			}
		}
		moved, err := c.tx.OrphanQuickResponses(listID, unique)
		if err != nil {
			return err
		}
		n, err := c.tx.DeleteQuickResponses(listID, unique)
		if err != nil {
			return err
		}
		if n != int64(len(unique)) {
			return notFound("quick response")
		}
		if err := c.tellReaders(l, deleted...); err != nil {
			return err
		}
		slices.SortFunc(moved, func(x, y models.QuickResponse) int { return int(x.ID - y.ID) })
		for _, r := range moved {
			item := QuickResponseItem{Type: TypeEdit, List: IDRef{listID}, Response: quickResponseData(r)}
			if err := c.tellReaders(l, item); err != nil {
				return err
			}
		}
		return nil
	})
}

// apply sets the given fields and reports whether r changed. The parent must be in the
// same list, and must not be r or below it.
func (in QuickResponseInput) apply(tx *models.Tx, r *models.QuickResponse) (changed bool, err error) {
	for _, set := range []bool{
		into(&r.Name, in.Name), into(&r.Sort, in.Sort), into(&r.Text, in.Text),
		into(&r.Keywords, in.Keywords), into(&r.EnableAI, in.EnableAI),
	} {
		changed = changed || set
	}
	if !in.Parent.Set {
		return changed, nil
	}
	to := in.Parent.pointer()
	if same(r.ParentID, to) {
		return changed, nil
	}
	if to != nil {
		if err := checkParent(tx, r, *to); err != nil {
			return false, err
		}
	}
	r.ParentID = to
	return true, nil
}

// checkParent returns an error when r cannot be placed under the response to. The list
// is locked, so its tree does not change.
func checkParent(tx *models.Tx, r *models.QuickResponse, to int64) error {
	parents, err := tx.QuickResponseParents(r.ListID)
	if err != nil {
		return err
	}
	if _, ok := parents[to]; !ok {
		return Invalid("parent", "must be a response of the same list")
	}
	for at := to; at != 0; at = parents[at] {
		if at == r.ID {
			return Invalid("parent", "must not be the response itself or one that stands under it")
		}
	}
	return nil
}

// tellReaders emits one event with the items to each user who sees the list.
func (c *change) tellReaders(l *models.QuickResponseList, items ...any) error {
	accesses, err := c.tx.QuickAccesses(l.ID)
	if err != nil {
		return err
	}
	for _, acc := range accesses {
		c.emitUser(acc.UserID, l.CompanyID, EventQuickResponse, items...)
	}
	return nil
}

func quickResponseData(r models.QuickResponse) QuickResponseData {
	return QuickResponseData{
		ID: r.ID, Name: r.Name, Sort: r.Sort, Parent: r.ParentID,
		Text: r.Text, Keywords: r.Keywords, EnableAI: r.EnableAI,
	}
}
