// Package scp turns service control policies of AWS Organizations that deny by region into a policy of the same
// meaning (https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps_syntax.html).
//
// Where the two cannot say the same it leans to alerting, and notes what was not carried over. It does no I/O.
package scp
