package detection

import (
	"reflect"
	"testing"
)

// fill sets every number within v to n, and puts one entry into each map.
func fill(v reflect.Value, n uint64) {
	switch v.Kind() {
	case reflect.Uint64:
		v.SetUint(n)
	case reflect.Array:
		for i := range v.Len() {
			fill(v.Index(i), n)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i), n)
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		v.SetMapIndex(reflect.Zero(v.Type().Key()), reflect.ValueOf(n))
	}
}

// A copy stays as it is when the original goes on counting.
func TestCountsClone(t *testing.T) {
	var counts, want Counts
	fill(reflect.ValueOf(&counts).Elem(), 3)
	fill(reflect.ValueOf(&want).Elem(), 3)
	copied := counts.Clone()
	counts.exempted("", 1)
	counts.alerted(AlertedKind{}, 1)
	if !reflect.DeepEqual(copied, want) {
		t.Errorf("%+v, want %+v", copied, want)
	}
}

// Add adds every number, also of a field that is new.
func TestCountsAdd(t *testing.T) {
	var sum, one, want Counts
	fill(reflect.ValueOf(&one).Elem(), 3)
	fill(reflect.ValueOf(&want).Elem(), 6)
	sum.Add(&one)
	sum.Add(&one)
	got, wanted := reflect.ValueOf(sum), reflect.ValueOf(want)
	for i := range got.NumField() {
		if !reflect.DeepEqual(got.Field(i).Interface(), wanted.Field(i).Interface()) {
			t.Errorf("%s: %v, want %v", got.Type().Field(i).Name, got.Field(i), wanted.Field(i))
		}
	}
}
