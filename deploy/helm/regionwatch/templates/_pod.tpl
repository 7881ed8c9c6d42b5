{{/* The pod of both forms. */}}
{{- define "regionwatch.podTemplate" -}}
metadata:
  labels:
    {{- include "regionwatch.selectorLabels" . | nindent 4 }}
    {{- with .Values.workload.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- /* The program reads its settings once, so that a change has to restart it; the policy it reads again by itself. */}}
    checksum/settings: {{ include "regionwatch.settings" . | sha256sum }}
    {{- with .Values.workload.annotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- include "regionwatch.podSpec" . | nindent 2 }}
  terminationGracePeriodSeconds: {{ include "regionwatch.terminationSeconds" . }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "regionwatch.topologySpread" . | nindent 2 }}
  containers:
    - name: regionwatch
      {{- include "regionwatch.container" . | nindent 6 }}
      args: [run, --config, {{ include "regionwatch.settingsFolder" . }}/regionwatch.yaml]
      {{- with printf "%s%s" (include "regionwatch.instanceID" .) (include "regionwatch.environment" .) }}
      env:
        {{- . | trim | nindent 8 }}
      {{- end }}
      ports:
        - name: admin
          containerPort: {{ .Values.port }}
          protocol: TCP
      {{- include "regionwatch.probes" . | nindent 6 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
{{- end -}}

{{/* What every pod of the release has: who it is, where it may run, what it finds. */}}
{{- define "regionwatch.podSpec" -}}
serviceAccountName: {{ include "regionwatch.serviceAccountName" . }}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  {{- include "regionwatch.podSecurityContext" . | nindent 2 }}
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
volumes:
  {{- include "regionwatch.volumes" . | nindent 2 }}
{{- end -}}

{{/* What every container of the program has: image, mounts, confinement. */}}
{{- define "regionwatch.container" -}}
image: {{ include "regionwatch.image" . | quote }}
imagePullPolicy: {{ .Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  {{- /* Folders and never subPath: a file that is mounted by subPath does not change with its ConfigMap. */}}
  - name: settings
    mountPath: {{ include "regionwatch.settingsFolder" . }}
    readOnly: true
  {{- if include "regionwatch.policyConfigMap" . }}
  - name: policy
    mountPath: {{ include "regionwatch.policyFolder" . }}
    readOnly: true
  {{- end }}
  {{- if .Values.settingsFromFiles }}
  - name: files
    mountPath: {{ include "regionwatch.filesFolder" . }}
    readOnly: true
  {{- end }}
{{- end -}}

{{/* The name that a StatefulSet's pod keeps is the instance's. */}}
{{- define "regionwatch.instanceID" -}}
{{- if eq .Values.workload.kind "StatefulSet" -}}
- name: REGIONWATCH_INSTANCE_ID
  valueFrom:
    fieldRef:
      fieldPath: metadata.name
{{ end -}}
{{- end -}}

{{- define "regionwatch.environment" -}}
{{- range $name, $from := .Values.settingsFromEnvironment -}}
- name: REGIONWATCH_{{ $name | upper | replace "-" "_" }}
  valueFrom:
    secretKeyRef:
      name: {{ $from.secret }}
      key: {{ $from.key }}
{{ end -}}
{{- with .Values.env -}}
{{ toYaml . }}
{{- end -}}
{{- end -}}

{{- define "regionwatch.volumes" -}}
- name: settings
  configMap:
    name: {{ include "regionwatch.fullname" . }}
{{- with include "regionwatch.policyConfigMap" . }}
- name: policy
  configMap:
    name: {{ . }}
{{- end }}
{{- if .Values.settingsFromFiles }}
- name: files
  {{- /* One volume for all, which is swapped as a whole. The group may read, which is fsGroup's. */}}
  projected:
    defaultMode: 0440
    sources:
      {{- range $name, $from := .Values.settingsFromFiles }}
      - {{ ternary "secret" "configMap" (hasKey $from "secret") }}:
          name: {{ default $from.configMap $from.secret }}
          items:
            - key: {{ $from.key }}
              path: {{ $name }}
      {{- end }}
{{- end }}
{{- end -}}

{{- define "regionwatch.podSecurityContext" -}}
runAsNonRoot: true
{{- range $name := list "runAsUser" "runAsGroup" "fsGroup" }}
{{- with index $.Values $name }}
{{ $name }}: {{ int64 . }}
{{- end }}
{{- end }}
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "regionwatch.probes" -}}
startupProbe:
  httpGet: { path: /livez, port: admin }
  {{- toYaml .Values.probes.startup | nindent 2 }}
livenessProbe:
  httpGet: { path: /livez, port: admin }
  {{- toYaml .Values.probes.liveness | nindent 2 }}
readinessProbe:
  httpGet: { path: /readyz, port: admin }
  {{- toYaml .Values.probes.readiness | nindent 2 }}
{{- end -}}

{{/* The pods of one revision are spread among themselves: those that are about to go do not count. */}}
{{- define "regionwatch.topologySpread" -}}
{{- with .Values.topologySpread.keys -}}
topologySpreadConstraints:
  {{- range . }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: {{ $.Values.topologySpread.whenUnsatisfiable }}
    labelSelector:
      matchLabels:
        {{- include "regionwatch.selectorLabels" $ | nindent 8 }}
    matchLabelKeys: [{{ ternary "controller-revision-hash" "pod-template-hash" (eq $.Values.workload.kind "StatefulSet") }}]
  {{- end }}
{{- end -}}
{{- end -}}
