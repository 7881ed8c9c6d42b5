{{/* Fills a dict with what the templates of stage one need to make the objects of stage two: the same values, but those of the
value incidents in place of stage one's. Stage names the command, and is part of the names and labels. */}}
{{- define "regionwatch.stageTwo" -}}
{{- $root := index . 0 -}}
{{- $stage := index . 1 -}}
{{- $values := deepCopy $root.Values -}}
{{- $_ := set $values.workload "kind" "StatefulSet" -}}
{{- $_ := set $values.workload "replicas" $values.incidents.replicas -}}
{{- $_ := set $values "resources" $values.incidents.resources -}}
{{- $_ := set $values.keda "enabled" false -}}
{{- $_ := merge $stage (dict "Stage" "incidents" "Values" $values "Release" $root.Release "Chart" $root.Chart "Files" $root.Files) -}}
{{- end -}}
