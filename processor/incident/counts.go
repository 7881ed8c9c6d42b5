package incident

// Counts say how alerts were counted: Read = Counted + Repeated + Below + Late.
type Counts struct {
	Read     uint64
	Counted  uint64 // in an incident
	Repeated uint64 // counted before
	Below    uint64 // in windows below their threshold
	Late     uint64 // in a late incident
}

// Add adds o to c.
func (c *Counts) Add(o Counts) {
	c.Read += o.Read
	c.Counted += o.Counted
	c.Repeated += o.Repeated
	c.Below += o.Below
	c.Late += o.Late
}
