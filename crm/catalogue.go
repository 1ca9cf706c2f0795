package crm

// Limits of a catalogue's objects.
const (
	maxSort     = 1_000_000_000 // of sort's absolute value
	defaultSort = 100
)

// deleteBatch is the number of chats from which one transaction removes a tag, a
// level or a leaving employee.
const deleteBatch = 100

// NamedInput describes a tag category or a level to create, or the changes of one.
// Absent fields stay as they are.
type NamedInput struct {
	CompanyID int64         `json:"companyId"` // only of a new object; 0: the actor's only company
	Name      Field[string] `json:"name"`
	Sort      Field[int64]  `json:"sort"` // 100 when absent
}

// apply sets the given fields and reports whether that changed anything.
func (in NamedInput) apply(name *string, sort *int64, creating bool) (changed bool, err error) {
	if err := checkNamed(in.Name, in.Sort, creating); err != nil {
		return false, err
	}
	renamed, moved := into(name, in.Name), into(sort, in.Sort)
	return renamed || moved, nil
}

// checkNamed checks the fields that every catalogue object has. When creating is
// true, the name is required.
func checkNamed(name Field[string], sort Field[int64], creating bool) error {
	var nameViolation error
	if creating || name.Set {
		nameViolation = name.required("name")
		if nameViolation == nil {
			nameViolation = checkRequired("name", name.Value, maxName)
		}
	}
	sortViolation := sort.notNull("sort")
	if sort.Value < -maxSort || sort.Value > maxSort {
		sortViolation = Invalid("sort", "must be from %d to %d", -maxSort, maxSort)
	}
	return allViolations(nameViolation, sortViolation)
}
