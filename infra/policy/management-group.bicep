// Azure Policy beside Sluice, for a management group and all below it: which clusters lack a configuration that they should have, and, where a
// team prefers Policy for the baseline, the built-in definitions that give it to them. docs/policy.md says when to use which.
// subscription.bicep is the same for the other scope: tests hold them equal.
targetScope = 'managementGroup'

@description('Region of the identities of assignments.')
param location string

@description('Names of the fluxConfigurations that every Arc-enabled cluster must have: clusters without one are reported.')
param requiredConfigurations array = []

@description('Have Policy install the Flux extension, and the configuration below. Leave it off where a baseline of sluice.yaml does that.')
param deployBaseline bool = false

@maxLength(30)
@description('Name of the fluxConfiguration that Policy makes.')
param configurationName string = 'baseline'

@description('Its Git repository.')
param repositoryUrl string = ''

@description('Branch that it follows until Sluice pins a commit.')
param repositoryBranch string = 'main'

@description('Path of its kustomization.')
param kustomizationPath string = './'

@description('Name of a secret that is on each cluster already, for a repository that is not public; empty = a public one.')
param localAuthRef string = ''

// Built-in definitions (github.com/Azure/azure-policy, built-in-policies/policyDefinitions/Kubernetes).
var installFlux = 'f9175d5f-abc8-1dc3-bd3c-5d7476ada3d1' // Configure installation of Flux extension on Kubernetes cluster
var publicRepository = '83ea2fd1-9eaf-2f6d-f672-cd7b2ac798f6' // ... with Flux v2 configuration using public Git repository
var localSecrets = 'b6c7fd52-4723-5f4d-a157-3d39bd16a1d7' // ... with Flux v2 configuration using Git repository and local secrets
var gitConfiguration = empty(localAuthRef) ? publicRepository : localSecrets
var contributor = 'b24988ac-6180-42a0-ab88-20f7382dd24c' // the role that both definitions name for their deployments

var configuration = {
  configurationName: { value: configurationName }
  repositoryUrl: { value: repositoryUrl }
  repositoryRefBranch: { value: repositoryBranch }
  kustomizationPath: { value: kustomizationPath }
  kustomizationPrune: { value: true }
}

resource definition 'Microsoft.Authorization/policyDefinitions@2023-04-01' = {
  name: 'sluice-clusters-without-configuration'
  properties: {
    displayName: 'Arc-enabled Kubernetes clusters should have the fluxConfiguration of their baseline'
    description: 'Reports each Arc-enabled cluster that has no fluxConfiguration of this name, or one that Azure failed to make.'
    policyType: 'Custom'
    mode: 'Indexed'
    metadata: { category: 'Kubernetes', version: '1.0.0' }
    parameters: loadJsonContent('parameters.json')
    policyRule: loadJsonContent('without-configuration.json')
  }
}

resource audits 'Microsoft.Authorization/policyAssignments@2024-04-01' = [
  for name in requiredConfigurations: {
    name: 'sluice-${take(uniqueString(name), 10)}'
    properties: {
      displayName: 'Sluice: clusters without ${name}'
      policyDefinitionId: definition.id
      parameters: { configurationName: { value: name } }
      nonComplianceMessages: [{ message: 'The cluster has no fluxConfiguration ${name}: sluice clusters says how far its baseline is.' }]
    }
  }
]

resource extension 'Microsoft.Authorization/policyAssignments@2024-04-01' = if (deployBaseline) {
  name: 'sluice-flux-extension'
  location: location
  identity: { type: 'SystemAssigned' }
  properties: {
    displayName: 'Sluice: the Flux extension on every cluster'
    policyDefinitionId: tenantResourceId('Microsoft.Authorization/policyDefinitions', installFlux)
  }
}

resource baseline 'Microsoft.Authorization/policyAssignments@2024-04-01' = if (deployBaseline) {
  name: 'sluice-baseline'
  location: location
  identity: { type: 'SystemAssigned' }
  properties: {
    displayName: 'Sluice: ${configurationName} on every cluster'
    policyDefinitionId: tenantResourceId('Microsoft.Authorization/policyDefinitions', gitConfiguration)
    parameters: union(configuration, empty(localAuthRef) ? {} : { repositoryLocalAuthRef: { value: localAuthRef } })
  }
}

// Without these the assignments find clusters, and change none.
resource mayInstall 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (deployBaseline) {
  name: guid(managementGroup().id, 'sluice-flux-extension', contributor)
  properties: {
    #disable-next-line BCP318 // the same condition
    principalId: extension.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', contributor)
  }
}

resource mayConfigure 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (deployBaseline) {
  name: guid(managementGroup().id, 'sluice-baseline', contributor)
  properties: {
    #disable-next-line BCP318 // the same condition
    principalId: baseline.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: tenantResourceId('Microsoft.Authorization/roleDefinitions', contributor)
  }
}
