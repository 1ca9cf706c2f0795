package crm

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"chatcast/models"
)

const maxAccess = 1000 // users with access to one list

// QuickListInput describes a list of quick responses to create, or a change of one. In
// a change, fields that are not given stay as they are.
type QuickListInput struct {
	CompanyID int64                     `json:"companyId"` // for a new list only; 0: the actor's only company
	Name      Field[string]             `json:"name"`
	Sort      Field[int64]              `json:"sort"`   // 100 when absent
	Access    Field[[]QuickAccessInput] `json:"access"` // all users who see it; its creator keeps w
}

// QuickAccessInput lets a user read (r) or also write (w) a list.
type QuickAccessInput struct {
	UserID     ID     `json:"userId"` // a string, as in events; a number is accepted too
	Permission string `json:"permission"`
}

// QuickLists lists the lists that the actor may see in one company, or in all of theirs
// (companyID 0), by sort and id.
func (s *Service) QuickLists(ctx context.Context, a Actor, companyID int64, q PageQuery) (Page[QuickListData], error) {
	after, limit, err := q.start("quickLists", 2)
	if err != nil {
		return Page[QuickListData]{}, err
	}
	tx := s.Store.Read(ctx)
	if companyID != 0 {
		if err := member(tx, a, companyID, "company"); err != nil {
			return Page[QuickListData]{}, err
		}
	}
	rows, err := tx.QuickLists(a.UserID, companyID, sortKey(after), limit+1)
	if err != nil {
		return Page[QuickListData]{}, err
	}
	ids := make([]int64, len(rows))
	for i, r := range rows {
		ids[i] = r.ID
	}
	accesses, err := tx.QuickAccesses(ids...)
	if err != nil {
		return Page[QuickListData]{}, err
	}
	byList := map[int64][]models.QuickAccess{}
	for _, acc := range accesses {
		byList[acc.ListID] = append(byList[acc.ListID], acc)
	}
	return pageOf("quickLists", rows, limit, func(l models.QuickList) []int64 { return []int64{l.Sort, l.ID} },
		func(l models.QuickList) QuickListData { return quickListData(l.QuickResponseList, byList[l.ID]) }), nil
}

// QuickList returns a list that the actor may see.
func (s *Service) QuickList(ctx context.Context, a Actor, id int64) (QuickListData, error) {
	tx := s.Store.Read(ctx)
	l, err := tx.QuickList(a.UserID, id)
	if err != nil {
		return QuickListData{}, orNotFound(err, "quick response list")
	}
	accesses, err := tx.QuickAccesses(id)
	if err != nil {
		return QuickListData{}, err
	}
	return quickListData(l.QuickResponseList, accesses), nil
}

// CreateQuickList creates a list. Every employee may create one, and keeps w on it.
func (s *Service) CreateQuickList(ctx context.Context, a Actor, in QuickListInput) (data QuickListData, err error) {
	err = s.change(ctx, func(c *change) error {
		e, err := employment(c.tx, a, in.CompanyID)
		if err != nil {
			return err
		}
		if err := allViolations(checkNamed(in.Name, in.Sort, true), in.Access.notNull("access")); err != nil {
			return err
		}
		l := models.QuickResponseList{
			CompanyID: e.CompanyID, Name: in.Name.Value, Sort: defaultSort, CreatedBy: &a.UserID, CreatedAt: c.now.Unix(),
		}
		into(&l.Sort, in.Sort)
		if err := c.tx.CreateQuickList(&l); err != nil {
			return err
		}
		wanted, err := readAccess(c.tx, &l, in.Access.Value)
		if err != nil {
			return err
		}
		if err := c.tx.SetQuickAccesses(l.ID, wanted); err != nil {
			return err
		}
		accesses, err := c.tx.QuickAccesses(l.ID)
		if err != nil {
			return err
		}
		data = quickListData(l, accesses)
		for _, acc := range accesses {
			c.emitUser(acc.UserID, l.CompanyID, EventQuickResponseList, QuickListItem{Type: TypeCreate, List: data})
		}
		return nil
	})
	return data, err
}

// EditQuickList changes a list that the actor may write. Users who gain access get a
// create event, users who lose it a destroy event, and all others an edit event.
func (s *Service) EditQuickList(ctx context.Context, a Actor, id int64, in QuickListInput) (data QuickListData, err error) {
	err = s.change(ctx, func(c *change) error {
		l, err := c.writableList(a, id)
		if err != nil {
			return err
		}
		if err := allViolations(checkNamed(in.Name, in.Sort, false), in.Access.notNull("access")); err != nil {
			return err
		}
		before, err := c.tx.QuickAccesses(id)
		if err != nil {
			return err
		}
		old := quickListData(*l, before)
		if in.Access.Set {
			wanted, err := readAccess(c.tx, l, in.Access.Value)
			if err != nil {
				return err
			}
			if err := c.tx.SetQuickAccesses(id, wanted); err != nil {
				return err
			}
		}
		name, sort := into(&l.Name, in.Name), into(&l.Sort, in.Sort)
		if name || sort {
			if err := c.tx.SaveQuickList(l); err != nil {
				return err
			}
		}
		after, err := c.tx.QuickAccesses(id)
		if err != nil {
			return err
		}
		data = quickListData(*l, after)
		if !name && !sort && slices.Equal(old.Access, data.Access) {
			return nil
		}
		return c.emitListEdit(l, data, before, after)
	})
	return data, err
}

// DeleteQuickList deletes a list that the actor may write, with its responses.
func (s *Service) DeleteQuickList(ctx context.Context, a Actor, id int64) error {
	return s.change(ctx, func(c *change) error {
		l, err := c.writableList(a, id)
		if err != nil {
			return err
		}
		accesses, err := c.tx.QuickAccesses(id)
		if err != nil {
			return err
		}
		if err := c.tx.DeleteQuickList(id); err != nil {
			return err
		}
		return c.emitListEdit(l, QuickListData{}, accesses, nil)
	})
}

// writableList locks and returns a list that the actor may write. A list that they may
// only read is denied, any other is not found.
func (c *change) writableList(a Actor, id int64) (*models.QuickResponseList, error) {
	if err := c.tx.LockQuickList(id); err != nil {
		return nil, orNotFound(err, "quick response list")
	}
	l, err := c.tx.QuickList(a.UserID, id)
	if err != nil {
		return nil, orNotFound(err, "quick response list")
	}
	if l.Permission != "w" {
		return nil, denied("you may only read this quick response list")
	}
	return &l.QuickResponseList, nil
}

// readAccess returns the accesses that in asks for. All users in it must work for the
// list's company. The creator keeps w, whatever in contains, while they work there.
func readAccess(tx *models.Tx, l *models.QuickResponseList, in []QuickAccessInput) ([]models.QuickResponseAccess, error) {
	if len(in) > maxAccess {
		return nil, Invalid("access", "has more than %d users", maxAccess)
	}
	var rows []models.QuickResponseAccess
	seen := map[int64]bool{}
	if l.CreatedBy != nil {
		_, err := tx.EmployeeOf(l.CompanyID, *l.CreatedBy)
		if err != nil && !errors.Is(err, models.ErrNotFound) {
			return nil, err
		}
		if err == nil {
			rows = append(rows, models.QuickResponseAccess{ListID: l.ID, UserID: *l.CreatedBy, Permission: "w"})
		}
	}
	writable := len(rows) > 0
	for i, acc := range in {
		field := fmt.Sprintf("access[%d]", i)
		user, err := acc.check(tx, l.CompanyID, field)
		if err != nil {
			return nil, err
		}
		if seen[user] {
			return nil, Invalid(field+".userId", "stands in the list twice")
		}
		seen[user] = true
		if len(rows) > 0 && rows[0].UserID == user && l.CreatedBy != nil && *l.CreatedBy == user {
			continue
		}
		rows = append(rows, models.QuickResponseAccess{ListID: l.ID, UserID: user, Permission: acc.Permission})
		writable = writable || acc.Permission == "w"
	}
	if !writable {
		return nil, Invalid("access", "must let somebody write the list")
	}
	return rows, nil
}

func (acc QuickAccessInput) check(tx *models.Tx, companyID int64, field string) (int64, error) {
	user, err := strconv.ParseInt(acc.UserID.String(), 10, 64)
	if err != nil || user <= 0 || strconv.FormatInt(user, 10) != acc.UserID.String() {
		return 0, Invalid(field+".userId", "must be the id of a user")
	}
	if acc.Permission != "r" && acc.Permission != "w" {
		return 0, Invalid(field+".permission", "must be r or w")
	}
	_, err = tx.EmployeeOf(companyID, user)
	return user, orNotFound(err, "employee")
}

func quickListData(l models.QuickResponseList, accesses []models.QuickAccess) QuickListData {
	data := QuickListData{ID: l.ID, Name: l.Name, Sort: l.Sort, Access: []QuickAccessData{}}
	for _, acc := range accesses {
		data.Access = append(data.Access, QuickAccessData{
			UserID: strconv.FormatInt(acc.UserID, 10), Email: acc.Email, Permission: acc.Permission,
		})
	}
	return data
}
